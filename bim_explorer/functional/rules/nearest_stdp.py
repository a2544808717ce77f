"""`nearest-stdp`: STDP of nearest spikes, each paired with the last one of the other side.

    Ω_ij = Σ_{t_i} A+ exp(-(t_i - t̂_j)/τ+) - Σ_{t_j} A- exp(-(t_j - t̂_i)/τ-)

    t̂_j = last presynaptic spike, at t_i or before   t̂_i = last postsynaptic spike, before t_j
    x_j = exp(-(t - t̂_j)/τ+): a trace that a spike sets to 1, where all pairs would add 1

Source: Morrison, Diesmann & Gerstner (2008), "Phenomenological models of synaptic plasticity
based on spike timing", section 4.1.2, the symmetric scheme (fig. 7A). A pair at Δt = 0 counts
once, as potentiation, as in `stdp`: for a single pair both rules are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.local_rule import LocalRule, State
from bim_explorer.functional.stdp import Window


class NearestStdp(LocalRule):
    """Nearest spikes, from two traces that are set rather than added to.

    Args:
        values: Flat values; those of the window and `dt_ms` are read.
    """

    windowed = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.window = Window.from_values(values)

    def start(self, pre: Tensor, post: Tensor) -> State:
        """Both traces at zero: no spike yet."""
        return {"trace_pre": pre.clone(), "trace_post": post.clone()}

    def term(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Ω of a chunk; see `LocalRule.term`."""
        window = self.window
        x = nearest_trace(pre, keep, state["trace_pre"], window.decay_plus)
        y = nearest_trace(post, keep, state["trace_post"], window.decay_minus)
        y_before = torch.cat([state["trace_post"][:, None], y[:, :-1]], dim=1)
        y_now = y_before * (window.decay_minus * keep)[..., None]
        gain = post.flatten(0, 1).T @ x.flatten(0, 1)
        loss = y_now.flatten(0, 1).T @ pre.flatten(0, 1)
        omega = (window.a_plus * gain - window.a_minus * loss) / pre.shape[0]
        return omega, {"trace_pre": x[:, -1], "trace_post": y[:, -1]}


def nearest_trace(
    spikes: Float[Tensor, "batch time channel"],
    keep: Float[Tensor, "batch time"],
    initial: Float[Tensor, "batch channel"],
    decay: float,
) -> Float[Tensor, "batch time channel"]:
    """x_t = s_t + (1 - s_t) decay keep_t x_{t-1}: 1 at a spike, decay^age after it."""
    x, before = torch.empty_like(spikes), initial
    for t in range(spikes.shape[1]):
        faded = decay * keep[:, t, None] * before
        before = torch.where(spikes[:, t] > 0, 1.0, faded)
        x[:, t] = before
    return x
