"""The hybrid update of the synapses (BIM eq. 4).

    direction = λ g - (1-λ) k Ω,     Δw = -η direction
    matched: k = sqrt((m(g²) + ε) / (m(Ω²) + ε)),     raw: k = 1

    g = ∂L/∂W   Ω = STDP term   λ = balance   m = bias-corrected running mean over live synapses

Departs from eq. 4: it prints +λ g, which climbs the loss; `as_printed` brings that sign back.
Matching makes λ a true balance, since a gradient and a sum over spike pairs have no common scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class RunningSquares:
    """Bias-corrected running means of g² and Ω², over updates that had a loss.

    Where λ = 1 Ω is not found at every update: then the newest one's square counts again.

    Attributes:
        gradient: Running mean of g² before correction.
        stdp: The same of Ω².
        count: Updates seen.
        momentum: Weight of the past.
    """

    gradient: float = 0.0
    stdp: float = 0.0
    count: int = 0
    momentum: float = 0.99

    def after(self, gradient_square: float, stdp_square: float) -> RunningSquares:
        """The means once one more update was seen."""
        keep, add = self.momentum, 1.0 - self.momentum
        return RunningSquares(
            keep * self.gradient + add * gradient_square,
            keep * self.stdp + add * stdp_square,
            self.count + 1,
            keep,
        )

    def rms(self) -> tuple[float, float]:
        """Running RMS of gradient and STDP term; (0, 0) before the first."""
        if not self.count:
            return 0.0, 0.0
        correction = 1.0 - self.momentum**self.count
        return math.sqrt(self.gradient / correction), math.sqrt(self.stdp / correction)


def matched_scale(squares: RunningSquares, balance: float) -> float:
    """k: what brings Ω to the gradient's RMS; 1 at λ = 0 and before any loss was seen."""
    if balance == 0.0 or not squares.count:
        return 1.0
    gradient, stdp = squares.rms()
    return math.sqrt((gradient**2 + EPSILON) / (stdp**2 + EPSILON))


def hybrid_direction(
    gradient: Float[Tensor, "neuron input"] | None,
    omega: Float[Tensor, "neuron input"],
    balance: float,
    scale: float,
    as_printed: bool = False,
) -> Float[Tensor, "neuron input"] | None:
    """The direction that an optimizer descends (BIM eq. 4), or None if nothing moves W.

    Args:
        gradient: g, or None in a chunk without a loss.
        omega: Ω of the chunk.
        balance: λ.
        scale: k.
        as_printed: Take eq. 4's printed sign of the gradient.
    """
    stdp = None if balance == 1.0 else omega * (-(1.0 - balance) * scale)
    if gradient is None or balance == 0.0:
        return stdp
    share = -balance if as_printed else balance
    descent = gradient if share == 1.0 else gradient * share
    return descent if stdp is None else descent + stdp
