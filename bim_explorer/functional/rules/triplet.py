"""`triplet`: potentiation takes a pre- and two postsynaptic spikes, depression a pair.

    Ω_ij = Σ_{t_i} A+ r_j(t_i) o2_i(t_i) - Σ_{t_j} A- o1_i(t_j)

    r_j = presynaptic trace (τ+), this step's spikes included
    o1_i, o2_i = postsynaptic traces (τ-, τ_y), decayed to now, this step's spikes left out

Potentiation grows with the square of the postsynaptic rate and depression with the rate, so the
rule has the threshold between them that BCM theory asks for.

Source: Pfister & Gerstner (2006), "Triplets of spikes in a model of spike timing-dependent
plasticity", eqs. 3-4, the minimal model for visual cortex (A2+ = A3- = 0), all to all. Its
τ_y = 114 ms is kept; A3+, A2-, τ+ and τ- are `a_plus`, `a_minus`, `tau_plus_ms`, `tau_minus_ms`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bim_explorer.functional.local_rule import LocalRule, State
from bim_explorer.functional.stdp import Window
from bim_explorer.functional.traces import trace

TAU_Y_MS = 114.0


class Triplet(LocalRule):
    """One presynaptic and two postsynaptic traces.

    Args:
        values: Flat values; those of the window and `dt_ms` are read.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.window = Window.from_values(values)
        self.slow_decay = math.exp(-values["dt_ms"] / TAU_Y_MS)

    def start(self, pre: Tensor, post: Tensor) -> State:
        """All traces at zero."""
        return {"trace_pre": pre.clone(), "trace_post": post.clone(), "trace_slow": post.clone()}

    def term(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Ω of a chunk; see `LocalRule.term`."""
        window = self.window
        r = trace(pre, keep, state["trace_pre"], window.decay_plus)
        o1, o1_now = _before(post, keep, state["trace_post"], window.decay_minus)
        o2, o2_now = _before(post, keep, state["trace_slow"], self.slow_decay)
        gain = (post * o2_now).flatten(0, 1).T @ r.flatten(0, 1)
        loss = o1_now.flatten(0, 1).T @ pre.flatten(0, 1)
        omega = (window.a_plus * gain - window.a_minus * loss) / pre.shape[0]
        return omega, {"trace_pre": r[:, -1], "trace_post": o1[:, -1], "trace_slow": o2[:, -1]}


def _before(spikes: Tensor, keep: Tensor, initial: Tensor, decay: float) -> tuple[Tensor, Tensor]:
    """A trace, and the same decayed to now without this step's spikes."""
    x = trace(spikes, keep, initial, decay)
    before = torch.cat([initial[:, None], x[:, :-1]], dim=1)
    return x, before * (decay * keep)[..., None]
