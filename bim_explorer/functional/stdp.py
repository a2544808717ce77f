"""The STDP term of a chunk, all pairs, from two traces (BIM eqs. 5-6).

    Ω_ij = Σ_{t_i} Σ_{t_j} W(t_i - t_j)
    W(t) = A+ exp(-t/τ+) for t ≥ 0,  -A- exp(t/τ-) for t < 0

    x_j = presynaptic trace, this step's spikes included
    y_i = postsynaptic trace, decayed to now, this step's spikes left out
    chunk: Ω = A+ zᵀx - A- yᵀs, averaged over the streams

A pair at Δt = 0 counts once, as potentiation. The traces carry all earlier spikes, so chunks of
any length add up to the double sum of eq. 5; what is returned is what this chunk adds to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.traces import trace


class Window(NamedTuple):
    """The window of eq. 6: amplitudes, and the decay of each trace over one step."""

    a_plus: float
    a_minus: float
    decay_plus: float
    decay_minus: float

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Window:
        """The window that the flat values stand for."""
        return cls(
            values["a_plus"],
            values["a_minus"],
            math.exp(-values["dt_ms"] / values["tau_plus_ms"]),
            math.exp(-values["dt_ms"] / values["tau_minus_ms"]),
        )


class StdpTraces(NamedTuple):
    """Traces at the end of a chunk."""

    trace_pre: Float[Tensor, "batch input"]
    trace_post: Float[Tensor, "batch neuron"]


def stdp_term(
    pre: Float[Tensor, "batch time input"],
    post: Float[Tensor, "batch time neuron"],
    keep: Float[Tensor, "batch time"],
    traces: StdpTraces,
    window: Window,
) -> tuple[Float[Tensor, "neuron input"], StdpTraces]:
    """Ω of the chunk (mean over streams) and the traces behind it (BIM eq. 5).

    Args:
        pre: Presynaptic spikes.
        post: Postsynaptic spikes.
        keep: 0 where a stream starts anew: no pair reaches across.
        traces: Both traces before the chunk.
        window: The window of eq. 6.
    """
    x = trace(pre, keep, traces.trace_pre, window.decay_plus)
    y = trace(post, keep, traces.trace_post, window.decay_minus)
    y_before = torch.cat([traces.trace_post[:, None], y[:, :-1]], dim=1)
    y_now = y_before * (window.decay_minus * keep)[..., None]
    potentiation = post.flatten(0, 1).T @ x.flatten(0, 1)
    depression = y_now.flatten(0, 1).T @ pre.flatten(0, 1)
    omega = (window.a_plus * potentiation - window.a_minus * depression) / pre.shape[0]
    return omega, StdpTraces(x[:, -1], y[:, -1])


def stdp_traces(
    pre: Float[Tensor, "batch time input"],
    post: Float[Tensor, "batch time neuron"],
    keep: Float[Tensor, "batch time"],
    traces: StdpTraces,
    window: Window,
) -> StdpTraces:
    """Both traces behind a chunk, without its pairs; arguments as in `stdp_term`."""
    return StdpTraces(
        trace(pre, keep, traces.trace_pre, window.decay_plus)[:, -1],
        trace(post, keep, traces.trace_post, window.decay_minus)[:, -1],
    )
