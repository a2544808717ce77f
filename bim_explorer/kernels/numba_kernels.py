"""The CPU backend: kernels compiled by numba, no compiler needed on the user's machine.

Here torch's tensors meet the compiled loops of `numba_dendrite`, `numba_influence` and
`numba_pairs`. Streams are shared out among torch's threads; sums over streams are taken for each
thread by itself and then joined, so a result depends on the number of threads, never on chance.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bim_explorer.functional.adjoint import DendriteGradient
from bim_explorer.functional.rtrl import BorderSums, Families, Transport
from bim_explorer.functional.selective_ssm import Dendrite, Selection
from bim_explorer.functional.stdp import StdpTraces, Window
from bim_explorer.kernels import numba_dendrite, numba_influence, numba_pairs
from bim_explorer.kernels.numba_math import arrays, over_parts, over_streams, stream_spans

name = "numba"


def trace(spikes: Tensor, keep: Tensor, initial: Tensor, decay: float) -> Tensor:
    """x_t = decay keep_t x_{t-1} + s_t; see `functional.scans.Kernels.trace`."""
    x = spikes.new_empty(spikes.shape)
    s, k, x_0, out = arrays(spikes, keep, initial, x)
    over_streams(numba_pairs.trace, len(s), s, k, x_0, s.dtype.type(decay), out)
    return x


def trace_adjoint(d_trace: Tensor, keep: Tensor, decay: float) -> Tensor:
    """∂L/∂s from ∂L/∂x; see `functional.scans.Kernels.trace_adjoint`."""
    d_spikes = d_trace.new_empty(d_trace.shape)
    d, k, out = arrays(d_trace, keep, d_spikes)
    over_streams(numba_pairs.trace_adjoint, len(d), d, k, d.dtype.type(decay), out)
    return d_spikes


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> Tensor:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    v = y.new_empty(y.shape)
    y_, k, before, out = arrays(y, keep, v_0, v)
    constants = (y_.dtype.type(x) for x in (decay, gain, v_th))
    over_streams(numba_dendrite.membrane, len(y_), y_, k, before, *constants, out)
    return v


def scan_adjoint(decay: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """λ_t = source_t + decay_{t+1} λ_{t+1}; see `functional.scans.Kernels.scan_adjoint`."""
    adjoint = source.new_empty(source.shape)
    start = source.new_empty(len(source), source.shape[2])
    over_streams(numba_dendrite.scan_adjoint, len(source), *arrays(decay, source, adjoint, start))
    return adjoint, start


def decay_to_end(decay: Tensor) -> tuple[Tensor, Tensor]:
    """Π_{m>k} decay_m; see `functional.scans.Kernels.decay_to_end`."""
    products = decay.new_empty(decay.shape)
    start = decay.new_empty(len(decay), decay.shape[2])
    over_streams(numba_dendrite.decay_to_end, len(decay), *arrays(decay, products, start))
    return products, start


def dendrite(selection: Selection, A_log: Tensor, D: Tensor, keep: Tensor, h_0: Tensor) -> Dendrite:
    """The state space over a chunk; see `functional.selective_ssm`."""
    s, (batch, steps, neurons) = selection, selection.u.shape
    decay, h = (s.u.new_empty(batch, steps, A_log.shape[1], neurons) for _ in range(2))
    y = s.u.new_empty(s.u.shape)
    taken = arrays(s.u, s.delta, s.B, s.C, -torch.exp(A_log.T), D, keep, h_0, decay, h, y)
    over_streams(numba_dendrite.forward, batch, *taken)
    return Dendrite(decay, h, h_0, y)


def dendrite_adjoint(
    d_y: Tensor, dendrite: Dendrite, selection: Selection, A_log: Tensor, D: Tensor
) -> DendriteGradient:
    """Reverse mode through the state space; see `functional.adjoint`."""
    s, past = selection, dendrite
    parts, A = len(stream_spans(len(d_y))), -torch.exp(A_log.T)
    d_u, d_delta, d_B, d_C = (x.new_empty(x.shape) for x in (s.u, s.delta, s.B, s.C))
    d_A, d_D = A.new_zeros(parts, *A.shape), D.new_zeros(parts, *D.shape)
    d_h0 = past.h_0.new_zeros(past.h_0.shape)
    read = arrays(d_y, past.decay, past.h, past.h_0, s.u, s.delta, s.B, s.C, A, D)
    written = arrays(d_u, d_delta, d_B, d_C, d_A, d_D, d_h0)
    over_parts(numba_dendrite.adjoint, len(d_y), *read, *written)
    return DendriteGradient(d_u, d_delta, d_B, d_C, (d_A.sum(0) * A).T, d_D.sum(0), d_h0)


def transport(
    dendrite: Dendrite,
    selection: Selection,
    A_log: Tensor,
    D: Tensor,
    w: tuple[Tensor, Tensor],
    w_gain: Tensor,
    families: Families,
) -> Transport:
    """Decays, adjoints and immediate derivatives of a chunk; see `functional.rtrl`."""
    s, past, (batch, steps, neurons) = selection, dendrite, selection.u.shape
    n_rows = sum(families.sizes(A_log.shape[1]))
    drive = s.u.new_empty(batch, n_rows, steps, neurons)
    dec, c, A_log_h, A_log_v = (past.h_0.new_zeros(past.h_0.shape) for _ in range(4))
    D_v = s.u.new_zeros(batch, neurons)
    read = (past.decay, past.h, past.h_0, s.u, s.delta, s.gate, s.B, s.C, -torch.exp(A_log.T), D)
    written = arrays(drive, dec, c, A_log_h, A_log_v, D_v)
    over_streams(numba_influence.transport, batch, *arrays(*read, w_gain), *families, *written)
    return Transport(dec, w[1], c, drive, A_log_h, A_log_v, D_v)


def advance_influence(
    keyed: Tensor,
    move: Transport,
    key: Tensor,
    families: Families,
    border: tuple[Tensor, Tensor] | None,
) -> BorderSums | None:
    """E and G over a chunk, each number read and written once; see `functional.scans.Kernels`."""
    batch, _, keys, neurons = keyed.shape
    states, parts = move.decay.shape[1], len(stream_spans(batch))
    shapes = ((keys, neurons), (keys, neurons), (states, keys), (states, keys))
    sums = [keyed.new_zeros(parts if border else 1, *shape) for shape in shapes]
    d_h0, d_v0 = border or (move.decay, move.slope)
    moved = arrays(move.drive, key, move.decay, move.slope, move.cross)
    read = arrays(d_h0, d_v0, *sums)
    over_parts(
        numba_influence.advance, batch, keyed.numpy(), *moved, *families, border is not None, *read
    )
    return BorderSums(*(total.sum(0) for total in sums)) if border else None


def stdp(
    pre: Tensor, post: Tensor, keep: Tensor, traces: StdpTraces, window: Window
) -> tuple[Tensor, StdpTraces]:
    """Ω of the chunk, spike by spike; see `functional.stdp`."""
    batch, _, inputs = pre.shape
    parts, neurons = len(stream_spans(batch)), post.shape[2]
    after = StdpTraces(*(x.clone(memory_format=torch.contiguous_format) for x in traces))
    gained, lost = pre.new_zeros(parts, neurons, inputs), pre.new_zeros(parts, inputs, neurons)
    taken = arrays(pre, post, keep)
    decays = (taken[0].dtype.type(x) for x in (window.decay_plus, window.decay_minus))
    omega = pre.new_empty(neurons, inputs)
    x, y, gained_, lost_, omega_ = arrays(*after, gained, lost, omega)
    over_parts(numba_pairs.stdp, batch, *taken, *decays, x, y, gained_, lost_)
    plus, minus = (x.dtype.type(a / batch) for a in (window.a_plus, window.a_minus))
    numba_pairs.weigh(gained_, lost_, plus, minus, omega_)
    return omega, after
