"""The influences over a chunk: one pass that reads them for the border's gradient and moves them.

The equations are those of `functional.rtrl`. Influences are by far the largest arrays: a span of
keys is read, crossed, scaled and added to while it is in the cache. What is added are the rows of
the steps at which a key's neuron spiked (`numba_gains`): beside one pass through memory, a
chunk costs what its spikes cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_gains import add_more, filter_back, gather, move, room
from bim_explorer.kernels.numba_intrinsics import prefetch
from bim_explorer.kernels.numba_math import LINE, jit, jit_inline, jit_views
from bim_explorer.kernels.numba_transport import Flow, Moved, transport

#: Keys of a span: a row of it is long enough to be fetched ahead, and what its rows share (an
#: own parameter's G and gradient) stays in a core's second cache.
SPAN = 128
#: Keys that are asked for ahead of their turn.
AHEAD = 8


class Sums(NamedTuple):
    """As `functional.rtrl.BorderSums`, of one part of the streams."""

    W: np.ndarray
    delta: np.ndarray
    B: np.ndarray
    C: np.ndarray
    A_log: np.ndarray
    D: np.ndarray


@jit
def carry(
    first, last, part, keyed, E_A_log, G_A_log, G_D,
    decay, h, h_0, u, delta, gate, B, C, slope, A, D, gain,
    spikes, before, keep, psp_decay, psp_scale,
    selection, membrane, read, d_h0, d_v0, of_W, of_delta, of_B, of_C, of_A_log, of_D,
):  # fmt: skip
    """Streams first … last - 1: influences moved, the border's gradient to of_… if `read`."""
    n_rows, steps, neurons = keyed.shape[1], u.shape[1], D.size
    lanes = np.empty((4, neurons), A.dtype)
    moved = Moved(
        np.empty_like(A), np.empty_like(D), np.empty_like(A), np.empty_like(A), np.empty_like(A),
        np.empty_like(D),
    )  # fmt: skip
    gains = room(n_rows, spikes.shape[2], steps, neurons, A.dtype)
    total = Sums(of_W[part], of_delta[part], of_B[part], of_C[part], of_A_log[part], of_D[part])
    for b in range(first, last):
        flow = Flow(decay[b], h[b], h_0[b], u[b], delta[b], gate[b], B[b], C[b], slope[b])
        transport(flow, A, D, gain, selection, membrane, lanes, gains.drive, moved)
        filter_back(gains.drive, keep[b], psp_decay, psp_scale, len(before))
        gather(gains, spikes[b], before[:, b])
        _advance(keyed[b], gains, moved, selection, membrane, read, d_h0[b], d_v0[b], total)
        _advance_keyless(E_A_log[b], G_A_log[b], G_D[b], moved, read, d_h0[b], d_v0[b], total)


@jit_views
def _advance(tile, gains, moved, selection, membrane, read, d_h0, d_v0, sums):
    """Carry E and G of one stream along, span by span."""
    n_keys, states = tile.shape[1], moved.decay.shape[0]
    row_v = 3 * states if selection else states
    for start in range(0, n_keys, SPAN):
        end = min(start + SPAN, n_keys)
        _own(tile, gains, moved, 0, row_v, start, end, membrane, read, d_h0, d_v0, sums.W)
        if selection:
            at = row_v + 1
            _own(tile, gains, moved, states, at, start, end, membrane, read, d_h0, d_v0, sums.delta)
            _shared(tile, gains, moved, row_v, start, end, membrane, read, d_h0, d_v0, sums)


@jit_views
def _advance_keyless(E_A_log, G_A_log, G_D, moved, read, d_h0, d_v0, sums):
    """The same for A_log and D, which no key has."""
    states, neurons = E_A_log.shape
    for n in range(states):
        h, v, d, of = E_A_log[n], G_A_log[n], d_h0[n], sums.A_log[n]
        dec, c, of_h, of_v = moved.decay[n], moved.cross[n], moved.A_log_h[n], moved.A_log_v[n]
        if read:
            for i in range(neurons):
                of[i] += d[i] * h[i] + d_v0[i] * v[i]
        for i in range(neurons):
            v[i] = moved.slope[i] * v[i] + c[i] * h[i] + of_v[i]
        for i in range(neurons):
            h[i] = dec[i] * h[i] + of_h[i]
    if read:
        for i in range(neurons):
            sums.D[i] += d_v0[i] * G_D[i]
    for i in range(neurons):
        G_D[i] = moved.slope[i] * G_D[i] + moved.D_v[i]


@jit_views
def _own(tile, gains, moved, row_h, row_v, start, end, membrane, read, d_h0, d_v0, total):
    """W or W_Δ: Σ_n δh_n E_n + δV G; G = w_0 G + c_0·E + …; E likewise."""
    states, neurons = d_h0.shape
    if membrane:
        for j in range(start, end):
            _fetch(tile, row_v, j, start, end)
            v, of = tile[row_v, j], total[j]
            if read:
                for i in range(neurons):
                    of[i] += d_v0[i] * v[i]
            move(v, moved.slope, gains, row_v, j)
    for n in range(states):
        row, d, c, dec = row_h + n, d_h0[n], moved.cross[n], moved.decay[n]
        for j in range(start, end):
            _fetch(tile, row, j, start, end)
            h, of = tile[row, j], total[j]
            if read and membrane:
                v = tile[row_v, j]
                for i in range(neurons):
                    of[i] += d[i] * h[i]
                    v[i] += c[i] * h[i]
            elif read:
                for i in range(neurons):
                    of[i] += d[i] * h[i]
            elif membrane:
                v = tile[row_v, j]
                for i in range(neurons):
                    v[i] += c[i] * h[i]
            move(h, dec, gains, row, j)


@jit_views
def _shared(tile, gains, moved, row_v, start, end, membrane, read, d_h0, d_v0, sums):
    """W_B and W_C, which the neurons share: Σ_i δh E + δV G; G = w_0 G + c_0 E + …; E likewise."""
    states = d_h0.shape[0]
    for n in range(states):
        row, row_B, row_C = 2 * states + n, row_v + 2 + n, row_v + 2 + states + n
        d, c, dec = d_h0[n], moved.cross[n], moved.decay[n]
        for j in range(start, end):
            h = tile[row, j]
            _fetch(tile, row, j, start, end)
            if membrane:
                _fetch(tile, row_B, j, start, end)
                _fetch(tile, row_C, j, start, end)
                v_B, v_C = tile[row_B, j], tile[row_C, j]
                if read:
                    of_B, of_C = _read_shared(h, v_B, v_C, d, d_v0)
                    sums.B[n, j] += of_B
                    sums.C[n, j] += of_C
                _cross(v_B, h, c, moved.slope, gains, row_B, j)
                move(v_C, moved.slope, gains, row_C, j)
            elif read:
                sums.B[n, j] += _dot(d, h)
            move(h, dec, gains, row, j)


@jit_inline
def _read_shared(h, v_B, v_C, d, d_v0):
    """δh·E + δV·G of W_B, and δV·G of W_C."""
    of_B, of_C = h.dtype.type(0.0), h.dtype.type(0.0)
    for i in range(h.size):
        of_B += d[i] * h[i] + d_v0[i] * v_B[i]
        of_C += d_v0[i] * v_C[i]
    return of_B, of_C


@jit_inline
def _dot(x, y):
    total = x.dtype.type(0.0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@jit_views
def _fetch(tile, row, j, start, end):
    """Ask for what comes `AHEAD` keys later, in this row or the next."""
    _, n_keys, neurons = tile.shape
    later = j + AHEAD
    if later >= end:
        row, later = row + 1, start + later - end
    at = (row * n_keys + later) * neurons
    for i in range(0, neurons, LINE // tile.itemsize):
        prefetch(tile, at + i)  # pyright: ignore[reportCallIssue] - typed as numba sees it


@jit_inline
def _cross(v, h, cross, slope, gains, row, j):
    """v = slope v + cross h + all that key j gains in this row."""
    rows, times, at, weight = gains.drive[row], gains.times, gains.start[j], gains.weight[j]
    p, a, b, c = rows[gains.first[j]], rows[times[at]], rows[times[at + 1]], rows[times[at + 2]]
    for i in range(v.size):
        v[i] = slope[i] * v[i] + cross[i] * h[i] + weight * p[i] + (a[i] + b[i]) + c[i]
    add_more(v, gains, rows, j)
