"""`stdp`, the paper's rule: all pairs of spikes (BIM eqs. 5-6).

    Ω_ij = Σ_{t_i} Σ_{t_j} W(t_i - t_j)

Its maths is `functional.stdp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bim_explorer.functional.local_rule import LocalRule, State
from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.stdp import StdpTraces, Window, stdp_term
from bim_explorer.functional.traces import trace_after


class Stdp(LocalRule):
    """All pairs, from two traces.

    Args:
        values: Flat values; those of the window and `dt_ms` are read.
    """

    windowed = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.window = Window.from_values(values)
        self._term, self._trace_after = stdp_term, trace_after

    def use(self, kernels: Kernels) -> None:
        """Take the backend's passes over the spikes."""
        self._term, self._trace_after = kernels.stdp, kernels.trace_after

    def start(self, pre: Tensor, post: Tensor) -> State:
        """Both traces at zero."""
        return {"trace_pre": pre.clone(), "trace_post": post.clone()}

    def term(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Ω of a chunk; see `LocalRule.term`."""
        traces = StdpTraces(state["trace_pre"], state["trace_post"])
        omega, traces = self._term(pre, post, keep, traces, self.window)
        return omega, traces._asdict()

    def follow(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> State:
        """Both traces behind a chunk, without its pairs."""
        decay_pre, decay_post = self.window.decay_plus, self.window.decay_minus
        return {
            "trace_pre": self._trace_after(pre, keep, state["trace_pre"], decay_pre),
            "trace_post": self._trace_after(post, keep, state["trace_post"], decay_post),
        }
