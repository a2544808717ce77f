"""The GPU backend: the recurrences over a chunk as Triton programs, one for each stream and tile.

The equations are those of `functional.selective_ssm`, `lif`, `adjoint`, `rtrl` and `traces`. A
program walks through the chunk with its tile of neurons in registers; what is a matrix product,
the influences' among them, is left to torch. Sums over neurons that cross tiles are written tile
by tile and joined by torch, so that a result never depends on the order of programs.
"""

# pyright: reportMissingImports=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportPossiblyUnboundVariable=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from bim_explorer.functional.readout import judge
from bim_explorer.functional.rtrl import Families
from bim_explorer.functional.selective_ssm import Flow, Selection
from bim_explorer.functional.soma import SomaTrace
from bim_explorer.kernels import triton_programs as programs
from bim_explorer.kernels.torch_kernels import (
    StateSpaceGradient,
    Transport,
    adjoint_by_product,
    carry_by_product,
    dendrite_by_product,
    soma_trace,
    stdp,
    stdp_traces,
)

__all__ = ["judge", "stdp", "stdp_traces"]

name = "triton"

#: Neurons of a tile.
TILE = 64


def trace(spikes: Tensor, keep: Tensor, initial: Tensor, decay: float) -> Tensor:
    """x_t = decay keep_t x_{t-1} + s_t; see `functional.traces`."""
    x = spikes.new_empty(spikes.shape)
    grid, sizes = _grid(spikes)
    programs.trace[grid](*_rows(spikes, keep, initial), x, decay, *sizes, TILE)
    return x


def trace_adjoint(d_trace: Tensor, keep: Tensor, decay: float) -> Tensor:
    """∂L/∂s from ∂L/∂x; see `functional.traces`."""
    d_spikes = d_trace.new_empty(d_trace.shape)
    grid, sizes = _grid(d_trace)
    programs.trace_adjoint[grid](*_rows(d_trace, keep), d_spikes, decay, *sizes, TILE)
    return d_spikes


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> SomaTrace:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    v = y.new_empty(y.shape)
    grid, sizes = _grid(y)
    programs.membrane[grid](*_rows(y, keep, v_0), v, decay, gain, v_th, *sizes, TILE)
    return soma_trace(v, v_0, keep, decay, v_th)


def scan_adjoint(decay: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """λ_t = source_t + decay_{t+1} λ_{t+1} from the end, and decay_1 λ_1."""
    adjoint = source.new_empty(source.shape)
    start = source.new_empty(len(source), source.shape[2])
    grid, sizes = _grid(source)
    programs.scan_adjoint[grid](*_rows(decay, source), adjoint, start, *sizes, TILE)
    return adjoint, start


def decay_to_end(decay: Tensor) -> tuple[Tensor, Tensor]:
    """Π_{m>k} decay_m, and that of all."""
    products = decay.new_empty(decay.shape)
    start = decay.new_empty(len(decay), decay.shape[2])
    grid, sizes = _grid(decay)
    programs.decay_to_end[grid](*_rows(decay), products, start, *sizes, TILE)
    return products, start


def _state_space(
    selection: Selection, A_log: Tensor, D: Tensor, keep: Tensor, h_0: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A, keep a, h and y over a chunk; see `functional.selective_ssm`."""
    s, (grid, sizes), states = selection, _grid(selection.u), A_log.shape[1]
    batch, steps, neurons = sizes_of(s.u)
    decay, h = (s.u.new_empty(batch, steps, states, neurons) for _ in range(2))
    y, A = s.u.new_empty(s.u.shape), -torch.exp(A_log.T).contiguous()
    read = _rows(s.u, s.delta, s.B, s.C, A, D, keep, h_0)
    programs.forward[grid](*read, decay, h, y, *sizes, states, _lanes(states), TILE)
    return A, decay, h, y


dendrite = partial(dendrite_by_product, trace, _state_space)


def _state_space_adjoint(d_y: Tensor, flow: Flow, D: Tensor) -> StateSpaceGradient:
    """Reverse mode through the state space; see `functional.adjoint`."""
    s, (grid, sizes), A = flow.selection, _grid(d_y), flow.A
    (batch, steps, neurons), states = sizes_of(d_y), len(A)
    d_u, d_delta = d_y.new_empty(d_y.shape), d_y.new_empty(d_y.shape)
    d_B, d_C = (d_y.new_empty(grid[1], batch, steps, states) for _ in range(2))
    d_A, d_h0 = (d_y.new_empty(batch, states, neurons) for _ in range(2))
    d_D = d_y.new_empty(batch, neurons)
    read = _rows(d_y, flow.decay, flow.h, flow.h_0, s.u, s.delta, s.B, s.C, A, D)
    written = (d_u, d_delta, d_B, d_C, d_A, d_D, d_h0)
    programs.adjoint[grid](*read, *written, *sizes, states, _lanes(states), TILE)
    of_A_log = (d_A.sum(0) * A).T
    selected = torch.cat([d_u, d_delta * s.gate, d_B.sum(0), d_C.sum(0)], dim=-1)
    return StateSpaceGradient(selected, of_A_log, d_D.sum(0), d_h0)


def _transport(
    flow: Flow, D: Tensor, w: tuple[Tensor, Tensor], w_gain: Tensor, families: Families
) -> tuple[Transport, Tensor]:
    """Decays, adjoints and every step's left factor (b, row, t, n); see `functional.rtrl`."""
    s, (grid, sizes) = flow.selection, _grid(flow.selection.u)
    (batch, steps, neurons), states = sizes_of(s.u), len(flow.A)
    drive = s.u.new_empty(batch, sum(families.sizes(states)), steps, neurons)
    dec, c, A_log_h, A_log_v = (s.u.new_empty(batch, states, neurons) for _ in range(4))
    D_v = s.u.new_empty(batch, neurons)
    read = _rows(flow.decay, flow.h, flow.h_0, s.u, s.delta, s.gate, s.B, s.C, flow.A, D, w_gain)
    written = (drive, dec, c, A_log_h, A_log_v, D_v)
    programs.transport[grid](
        *read,
        *written,
        *sizes,
        states,
        drive.shape[1],
        families.selection,
        families.membrane,
        _lanes(states),
        TILE,
    )
    return Transport(dec, w[1], c, A_log_h, A_log_v, D_v), drive


carry = partial(carry_by_product, decay_to_end, _transport)
adjoint = partial(adjoint_by_product, scan_adjoint, trace_adjoint, _state_space_adjoint, carry)


def sizes_of(tensor: Tensor) -> tuple[int, int, int]:
    """Streams, steps and channels of (b, t, channel)."""
    batch, steps, channels = tensor.shape
    return batch, steps, channels


def _grid(tensor: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """A program for each stream and tile of channels, and the sizes it asks for."""
    batch, steps, channels = sizes_of(tensor)
    return (batch, -(-channels // TILE)), (steps, channels)


def _rows(*tensors: Tensor) -> tuple[Tensor, ...]:
    return tuple(tensor.contiguous() for tensor in tensors)


def _lanes(states: int) -> int:
    """The power of two that holds all states."""
    return 1 << (states - 1).bit_length()
