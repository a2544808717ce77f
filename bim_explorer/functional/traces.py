"""Exponential traces over a chunk, as one product with a triangular matrix.

    x_t = d keep_t x_{t-1} + s_t   ⇔   x = T s + start x_0
    T[t,k] = d^(t-k) if k ≤ t and no stream began in (k, t], else 0

    d = decay of a step   s = spikes   keep_t = 0 where a stream starts anew
    start[t] = d^(t+1) until the stream's first restart, then 0

The postsynaptic potentials (BIM eq. 3) and both traces of STDP (eqs. 5-6) are such traces.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Presynaptic(NamedTuple):
    """What the postsynaptic potentials p of a chunk are made of.

    Attributes:
        spikes: What is filtered, 0 or 1: a backend may add where another multiplies.
        before: What each filter had before the chunk: one filter or two in a row.
        keep: 0 where a stream starts anew, else 1.
        decay: κ of every filter.
        scale: p = scale times what the last filter gives.
    """

    spikes: Float[Tensor, "batch time input"]
    before: Float[Tensor, "filter batch input"]
    keep: Float[Tensor, "batch time"]
    decay: float
    scale: float


def trace(
    spikes: Float[Tensor, "batch time channel"],
    keep: Float[Tensor, "batch time"],
    initial: Float[Tensor, "batch channel"],
    decay: float,
) -> Float[Tensor, "batch time channel"]:
    """x_1 … x_K from the trace `initial` before the chunk."""
    matrix, start = _filter(decay, keep)
    return torch.baddbmm(start[:, :, None] * initial[:, None, :], matrix, spikes)


def trace_adjoint(
    d_trace: Float[Tensor, "batch time channel"], keep: Float[Tensor, "batch time"], decay: float
) -> Float[Tensor, "batch time channel"]:
    """∂L/∂s inside the chunk, from ∂L/∂x."""
    matrix, _ = _filter(decay, keep)
    return torch.bmm(matrix.transpose(1, 2), d_trace)


def potentials(
    pre: Presynaptic, trace: Callable[..., Tensor] = trace
) -> tuple[Float[Tensor, "batch time input"], Float[Tensor, "filter batch input"]]:
    """p of every step, and what each filter has behind the chunk.

    Args:
        pre: What p is made of.
        trace: A backend's own, where it is faster.
    """
    psp, after = pre.spikes, []
    for initial in pre.before:
        psp = trace(psp, pre.keep, initial, pre.decay)
        after.append(psp[:, -1])
    return psp * pre.scale, torch.stack(after)


def _filter(decay: float, keep: Tensor) -> tuple[Tensor, Tensor]:
    """T (batch, time, time) and start (batch, time)."""
    matrix, start = _powers(decay, keep.shape[1], keep.dtype, keep.device)
    restarts = (1.0 - keep).cumsum(1)
    same_stream = restarts[:, :, None] == restarts[:, None, :]
    return matrix * same_stream, start * (restarts == 0)


@lru_cache(maxsize=64)
def _powers(
    decay: float, n_steps: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """T and start of a chunk in which no stream begins."""
    steps = torch.arange(n_steps, device=device, dtype=dtype)
    age = steps[:, None] - steps[None, :]
    return torch.where(age >= 0, decay ** age.clamp(min=0.0), 0.0), decay ** (steps + 1.0)
