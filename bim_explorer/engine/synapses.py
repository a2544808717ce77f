"""What a block's synapses W carry beside their weights: mask, threshold, traces, running scales.

One object a block; it turns the block's gradient and its spikes into the direction that the
optimizer descends (BIM eqs. 4-6), and prunes (eqs. 9-10).
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from bim_explorer.engine.settings import Rule
from bim_explorer.functional.hybrid import RunningSquares, hybrid_direction, matched_scale
from bim_explorer.functional.local_rule import LocalRule
from bim_explorer.functional.pruning import prune, regrow
from bim_explorer.functional.rtrl import places

#: Share of pruned synapses from which on those alive are kept apart: by columns of their own they
#: cost more each than side by side with the dead.
SPARSE = 0.8


class Synapses:
    """Plasticity state of one block's W.

    Attributes:
        weights: W (neuron, input), the block's own tensor.
        mask: False where pruned; exchanged as a whole.
        pruned: Number of pruned synapses.
        threshold: θ of eq. 10.
        traces: State of the local rule, by name.
        squares: Running scales of gradient and local term.
        gradient: g of the last chunk that had a loss, pruned synapses included.
        omega: Ω of the last chunk in which it was asked for.
        scale: k of the last update.
    """

    def __init__(
        self, weights: Float[Tensor, "neuron input"], batch: int, local: LocalRule
    ) -> None:
        self.weights = weights
        self.batch = batch
        self.mask = torch.ones_like(weights, dtype=torch.bool)
        self.threshold = 0.0
        self.gradient: Tensor | None = None
        self.scale = 1.0
        self.start(local)

    def start(self, local: LocalRule) -> None:
        """Begin with a local rule: its traces at rest, and nothing known of its scale."""
        neurons, inputs = self.weights.shape
        nothing = (self.weights.new_zeros(self.batch, n) for n in (inputs, neurons))
        self.traces: dict[str, Tensor] = local.start(*nothing)
        self.omega = torch.zeros_like(self.weights)
        self.squares = RunningSquares()

    @property
    def omega(self) -> Float[Tensor, "neuron input"]:
        """Ω of the last chunk in which it was asked for."""
        return self._omega

    @omega.setter
    def omega(self, omega: Float[Tensor, "neuron input"]) -> None:
        self._omega = omega
        self._omega_square: float | None = None

    @property
    def mask(self) -> Bool[Tensor, "neuron input"]:
        """False where pruned."""
        return self._mask

    @mask.setter
    def mask(self, mask: Bool[Tensor, "neuron input"]) -> None:
        self._mask = mask
        self._omega_square = None
        self._place: Tensor | None = None
        self.pruned = mask.numel() - int(mask.sum())

    def place(self, rule: Rule) -> Int[Tensor, " synapse"] | None:
        """Synapses whose influences are kept, see `functional.rtrl.Influence`; None: all.

        Those of pruned ones are read where they may grow back by their gradient.
        """
        if self.pruned < SPARSE * self.mask.numel() or rule.regrow == "gradient":
            return None
        if self._place is None:
            self._place = places(self.mask)
        return self._place

    def pair(
        self,
        pre: Float[Tensor, "batch time input"],
        post: Float[Tensor, "batch time neuron"],
        keep: Float[Tensor, "batch time"],
        rule: Rule,
        asked: bool,
    ) -> None:
        """Let the local rule say what it asks for in this chunk: Ω (BIM eq. 5); or only follow."""
        seen = (pre, post, keep, self.weights, self.traces)
        if asked:
            self.omega, self.traces = rule.local.term(*seen)
        else:
            self.traces = rule.local.follow(*seen)

    def direction(
        self, gradient: Float[Tensor, "neuron input"] | None, rule: Rule
    ) -> Float[Tensor, "neuron input"] | None:
        """What the optimizer descends (BIM eq. 4), or None if nothing moves W."""
        if gradient is not None:
            self.gradient = gradient
            if self._omega_square is None:
                self._omega_square = self._mean_square(self.omega)
            self.squares = self.squares.after(self._mean_square(gradient), self._omega_square)
        matched = rule.mixing == "matched"
        self.scale = matched_scale(self.squares, rule.balance) if matched else 1.0
        mixed = hybrid_direction(gradient, self.omega, rule.balance, self.scale, rule.as_printed)
        return None if mixed is None else self.live(mixed)

    def live(self, of_synapses: Tensor) -> Tensor:
        """The same with zeros where pruned."""
        return of_synapses * self.mask if self.pruned else of_synapses

    def _mean_square(self, of_synapses: Tensor) -> float:
        """Over the synapses that live."""
        live = max(of_synapses.numel() - self.pruned, 1)
        return float(torch.linalg.vector_norm(self.live(of_synapses))) ** 2 / live

    def bound(self, w_max: float) -> None:
        """Keep |w| ≤ w_max, and pruned weights at zero."""
        self.weights.clamp_(-w_max, w_max)
        if self.pruned:
            self.weights.mul_(self.mask)

    def prune(self, rule: Rule, generator: torch.Generator) -> None:
        """One round of pruning, and of regrowth where it is switched on (BIM eqs. 9-10)."""
        self.mask, self.threshold = prune(
            self.weights, self.mask, self.threshold, rule.pruning, generator
        )
        if rule.regrow != "off" and not rule.pruning.as_printed:
            score = torch.rand(self.mask.shape, generator=generator).to(self.weights)
            if rule.regrow == "gradient" and self.gradient is not None:
                score = self.gradient.abs()
            self.mask = regrow(self.mask, rule.pruning.target_sparsity, score)
        self.weights.mul_(self.mask)
