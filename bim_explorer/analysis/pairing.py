"""The pairing protocol: how much a synapse changes, against the timing of its spike pairs.

A presynaptic and a postsynaptic spike come together `pairs` times, Δt apart, a pair every
`every_ms`; what the engine's own local rule asks for in all is divided by the number of pairs. Of
the rule `stdp`, lone pairs measure the window (BIM eq. 6), and pairs that come fast meet the
spikes of their neighbours too, all of which eq. 5 counts:

    Ω(Δt) / n = Σ_m (1 - |m|/n) W(Δt + m every_ms),   |m| < n

Many Δt are measured at once, each at a synapse of its own: the diagonal of one Ω.

Source: the protocol of Bi & Poo (1998), 60 pairs at 1 Hz.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.registries import RULES
from bim_explorer.functional.local_rule import LocalRule

#: Time constants on either side of 0 that are measured where no Δt are given.
REACH = 4.0
POINTS = 81


class Pairing(NamedTuple):
    """What was measured.

    Attributes:
        delta_t_ms: t_post - t_pre [ms], rounded to whole steps (n,).
        change: Ω for each pair (n,).
    """

    delta_t_ms: np.ndarray
    change: np.ndarray


def pairing(
    config: Config,
    delta_t_ms: np.ndarray | None = None,
    pairs: int = 60,
    every_ms: float = 1000.0,
) -> Pairing:
    """Run the protocol on the local rule of a config.

    Args:
        config: Its `rule` and window (A₊, A₋, τ₊, τ₋), `dt_ms`, and the chunk in which pairs are
            counted. A rule that looks at the weight finds it at 0.
        delta_t_ms: Δt to measure [ms]; None takes four time constants on either side.
        pairs: Repetitions n.
        every_ms: Time from one pair to the next [ms].

    Raises:
        ConfigError: No pair, or a Δt that does not fit between two repetitions.
    """
    values = config.values()
    if pairs < 1:
        raise ConfigError(f"pairs must be ≥ 1, got {pairs}")
    if delta_t_ms is None:
        reach = min(REACH * max(values["tau_plus_ms"], values["tau_minus_ms"]), every_ms / 2.1)
        delta_t_ms = np.linspace(-reach, reach, POINTS)
    steps = np.round(np.asarray(delta_t_ms, float) / values["dt_ms"]).astype(int)
    period = round(every_ms / values["dt_ms"])
    if 2 * np.abs(steps).max() >= period:
        raise ConfigError(
            f"|Δt| must be < half of every_ms = {every_ms:g}, got "
            f"{np.abs(steps).max() * values['dt_ms']:g} ms: pair less often"
        )
    pre, post = _one_repetition(steps, period)
    rule = RULES.load(values["rule"])(values)
    omega = _count(pre, post, pairs, values["chunk"], rule)
    return Pairing(steps * values["dt_ms"], omega / pairs)


def time_constants(measured: Pairing) -> tuple[float, float]:
    """τ₊ and τ₋ [ms] as measured: straight lines through log |Ω| on either side of Δt = 0.

    Raises:
        ConfigError: A side with fewer than two Δt that changed anything.
    """
    found = []
    for sign in (1, -1):
        side = (np.sign(measured.delta_t_ms) == sign) & (measured.change != 0)
        if side.sum() < 2:
            raise ConfigError(f"at least 2 Δt must lie on either side of 0, got {side.sum()}")
        height = np.log(np.abs(measured.change[side]))
        slope = np.polyfit(np.abs(measured.delta_t_ms[side]), height, 1)[0]
        found.append(-1.0 / float(slope))
    return found[0], found[1]


def _one_repetition(steps: np.ndarray, period: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Spikes (time, synapse) of one pair each, the earlier of both in the middle of its half."""
    pre, post = torch.zeros(2, period, len(steps), dtype=torch.float64)
    synapse, start = np.arange(len(steps)), (period - np.abs(steps)) // 2
    pre[start + np.maximum(-steps, 0), synapse] = 1.0
    post[start + np.maximum(steps, 0), synapse] = 1.0
    return pre, post


def _count(
    pre: torch.Tensor, post: torch.Tensor, pairs: int, chunk: int, rule: LocalRule
) -> np.ndarray:
    """Diagonal of Ω over all repetitions, chunk by chunk."""
    period, synapses = pre.shape
    state = rule.start(pre.new_zeros(1, synapses), pre.new_zeros(1, synapses))
    weights, total = pre.new_zeros(synapses, synapses), pre.new_zeros(synapses)
    keep = pre.new_ones(1, chunk)
    for first in range(0, pairs * period, chunk):
        at = torch.arange(first, min(first + chunk, pairs * period)) % period
        kept = keep if len(at) == chunk else keep[:, : len(at)]
        omega, state = rule.term(pre[None, at], post[None, at], kept, weights, state)
        total += omega.diagonal()
    return total.numpy()
