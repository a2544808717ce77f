"""`oja`: Hebb's rule on firing rates, with the decay that keeps a neuron's weights in bounds.

    Ω_ij = Σ_t A+ y_i (x_j - y_i w_ij)

    x_j = presynaptic rate [spikes a step]: x ← κ+ x + (1-κ+) s_j,   κ+ = exp(-dt/τ+)
    y_i = postsynaptic rate likewise, with τ-
    w_ij = weight of the synapse

Each neuron's weights are drawn to the direction in which its inputs vary together, at a length
that y_i² w_ij holds: no synapse grows without limit, and no bound is needed.

Source: Oja (1982), "A simplified neuron model as a principal component analyzer", eq. 3, there
for a linear neuron; here its output is the spiking neuron's rate. A- has no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bim_explorer.functional.local_rule import LocalRule, State
from bim_explorer.functional.stdp import Window
from bim_explorer.functional.traces import trace


class Oja(LocalRule):
    """Rates from two traces, and the weights themselves.

    Args:
        values: Flat values; `a_plus`, `tau_plus_ms`, `tau_minus_ms` and `dt_ms` are read.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.window = Window.from_values(values)

    def start(self, pre: Tensor, post: Tensor) -> State:
        """Both rates at zero."""
        return {"rate_pre": pre.clone(), "rate_post": post.clone()}

    def term(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Ω of a chunk; see `LocalRule.term`."""
        x = _rate(pre, keep, state["rate_pre"], self.window.decay_plus)
        y = _rate(post, keep, state["rate_post"], self.window.decay_minus)
        hebb = y.flatten(0, 1).T @ x.flatten(0, 1)
        decay = y.square().sum((0, 1))[:, None] * weights
        omega = self.window.a_plus * (hebb - decay) / pre.shape[0]
        return omega, {"rate_pre": x[:, -1], "rate_post": y[:, -1]}


def _rate(spikes: Tensor, keep: Tensor, initial: Tensor, decay: float) -> Tensor:
    return trace((1.0 - decay) * spikes, keep, initial, decay)
