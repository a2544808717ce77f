"""Exponential traces over a chunk, as one product with a triangular matrix.

    x_t = d keep_t x_{t-1} + s_t   ⇔   x = T s + start x_0
    T[t,k] = d^(t-k) if k ≤ t and no stream began in (k, t], else 0

    d = decay of a step   s = spikes   keep_t = 0 where a stream starts anew
    start[t] = d^(t+1) until the stream's first restart, then 0

The postsynaptic potentials (BIM eq. 3) and both traces of STDP (eqs. 5-6) are such traces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class TraceFilter(NamedTuple):
    """The filter of one chunk: `matrix` T (batch, time, time) and `start` (batch, time)."""

    matrix: Float[Tensor, "batch time time"]
    start: Float[Tensor, "batch time"]


def trace_filter(decay: float, keep: Float[Tensor, "batch time"]) -> TraceFilter:
    """The filter for a decay a step and the chunk's restarts."""
    matrix, start = _powers(decay, keep.shape[1], keep.dtype, keep.device)
    if bool(keep.all()):
        batch = keep.shape[0]
        return TraceFilter(matrix.expand(batch, -1, -1), start.expand(batch, -1))
    restarts = (1.0 - keep).cumsum(1)
    same_stream = restarts[:, :, None] == restarts[:, None, :]
    return TraceFilter(matrix * same_stream, start * (restarts == 0))


def trace(
    spikes: Float[Tensor, "batch time channel"],
    initial: Float[Tensor, "batch channel"],
    kernel: TraceFilter,
) -> Float[Tensor, "batch time channel"]:
    """x_1 … x_K from the trace `initial` before the chunk."""
    return torch.baddbmm(kernel.start[:, :, None] * initial[:, None, :], kernel.matrix, spikes)


def trace_adjoint(
    d_trace: Float[Tensor, "batch time channel"], kernel: TraceFilter
) -> Float[Tensor, "batch time channel"]:
    """∂L/∂s inside the chunk, from ∂L/∂x."""
    return torch.bmm(kernel.matrix.transpose(1, 2), d_trace)


@lru_cache(maxsize=64)
def _powers(
    decay: float, n_steps: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """T and start of a chunk in which no stream begins."""
    steps = torch.arange(n_steps, device=device, dtype=dtype)
    age = steps[:, None] - steps[None, :]
    return torch.where(age >= 0, decay ** age.clamp(min=0.0), 0.0), decay ** (steps + 1.0)
