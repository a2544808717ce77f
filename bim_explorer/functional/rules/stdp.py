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
from bim_explorer.functional.stdp import StdpTraces, Window, stdp_term, stdp_traces


class Stdp(LocalRule):
    """All pairs, from two traces.

    Args:
        values: Flat values; those of the window and `dt_ms` are read.
    """

    windowed = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.window = Window.from_values(values)
        self._term, self._traces = stdp_term, stdp_traces

    def use(self, kernels: Kernels) -> None:
        """Take the backend's passes over the spikes."""
        self._term, self._traces = kernels.stdp, kernels.stdp_traces

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
        traces = StdpTraces(state["trace_pre"], state["trace_post"])
        return self._traces(pre, post, keep, traces, self.window)._asdict()
