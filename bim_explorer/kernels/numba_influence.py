"""The influences over a chunk: one pass that reads them for the border's gradient and moves them.

The equations are those of `functional.rtrl`. Influences are by far the largest arrays: a row is
read, crossed, scaled and added to while it is in a processor's registers. What is added are the
rows of the steps at which a key's neuron spiked (`numba_gains`): beside one pass through memory, a
chunk costs what its spikes cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_gains import (
    collect,
    filter_back,
    gain_more,
    gain_more_apart,
    gained,
    gained_one,
    taken,
)
from bim_explorer.kernels.numba_intrinsics import prefetch
from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread, total
from bim_explorer.kernels.numba_math import jit, jit_inline, jit_views
from bim_explorer.kernels.numba_transport import (
    H_B,
    H_DELTA,
    H_W,
    V_B,
    V_C,
    V_DELTA,
    V_W,
    Moved,
    begin,
    transport,
)

#: Keys that are asked for ahead of their turn.
AHEAD = 8
#: An index that is never counted from the end.
_ONE = np.uintp(1)


class Border(NamedTuple):
    """What reads the influences of one stream: whether it does, δh_0 and δV_0, and into what.

    Attributes:
        sums: Of W, W_Δ, W_B and W_C side by side (key, 2n + 2s).
        A_log: (s, n).
        D: (n,).
    """

    read: bool
    d_h: np.ndarray
    d_v: np.ndarray
    sums: np.ndarray
    A_log: np.ndarray
    D: np.ndarray


class Apart(NamedTuple):
    """Synapses whose influences have columns of their own, input after input.

    Attributes:
        dense: Whether none have; then nothing more is looked at.
        start: Where an input begins in `neuron` (input + 1,).
        neuron: (synapse,).
    """

    dense: bool
    start: np.ndarray
    neuron: np.ndarray


@jit
def synapses_apart(dense, place, inputs, neurons):
    """Where the synapses lie that have columns of their own."""
    start, neuron = np.zeros(inputs + 1, np.uintp), np.empty(place.size, np.uintp)
    for column in range(place.size):
        j = place[column] // neurons
        neuron[column] = place[column] - j * neurons
        start[j + 1] += 1
    for j in range(inputs):
        start[j + 1] += start[j]
    return Apart(dense, start, neuron)


@jit
def moved_room(A, steps):
    """Room for how a chunk carries the influences of one stream."""
    neurons = A.shape[1]
    return Moved(
        np.empty_like(A), np.empty(neurons, A.dtype), np.empty_like(A), np.empty_like(A),
        np.empty_like(A), np.empty(neurons, A.dtype), np.empty((steps, neurons), A.dtype),
    )  # fmt: skip


@jit_views
def advance(influence, gains, flow, moved, A, D, gain, psp, selection, membrane, apart, border):
    """Carry all influences of one stream along; `gains` knows its spikes."""
    keyed, sparse, E_A_log, G_A_log, G_D = influence
    told = (gains, flow, moved, A, D, gain, psp, selection, membrane, apart, border)
    _advance_keyed(keyed, sparse, *told)
    if selection:
        _advance_keyless(E_A_log, G_A_log, G_D, moved, membrane, border)


@jit_views
def _advance_keyed(
    tile, sparse, gains, flow, moved, A, D, gain, psp, selection, membrane, apart, border
):
    """E and G of all that a key has, state by state."""
    states, drive, dense = len(A), gains.drive, apart.dense
    h_delta = states if dense else 0
    h_B = h_delta + states
    v_W = h_B + states if selection else h_delta
    v_delta = v_W + 1 if dense else v_W
    v_B, v_C = v_delta + 1, v_delta + 1 + states
    begin(flow, D, gain, membrane, drive, moved)
    if membrane:
        if dense:
            _fade(tile[v_W], moved.slope, border, 0)
        else:
            _fade_apart(sparse[states], moved.slope, border, apart)
        if selection:
            _fade(tile[v_delta], moved.slope, border, D.size)
    kept = H_DELTA if not selection else V_W if membrane else V_B
    for n in range(states):
        transport(flow, n, A[n], selection, membrane, drive, moved)
        filter_back(drive[:kept], *psp)
        if dense:
            _own(tile, n, v_W, n, H_W, gains, moved, membrane, border, 0)
        else:
            _own_apart(sparse, n, gains, moved, membrane, border, apart)
        if selection:
            _own(tile, h_delta + n, v_delta, n, H_DELTA, gains, moved, membrane, border, D.size)
            _shared(tile, h_B + n, v_B + n, v_C + n, n, gains, moved, membrane, border)
    if membrane:
        filter_back(drive[V_W : V_DELTA + 1 if selection else V_DELTA], *psp)
        if dense:
            _gain_all(tile[v_W], gains, V_W)
        else:
            _gain_all_apart(sparse[states], gains, apart)
        if selection:
            _gain_all(tile[v_delta], gains, V_DELTA)


@jit_views
def _fade(v, slope, border, at):
    """Σ δV G; G = w_0 G."""
    rest = slope.size % lanes(slope)
    for j in range(len(v)):
        for i in range(0, slope.size - rest, lanes(slope)):
            _fade_lanes(v[j], slope, border, border.sums[j], at, i, full(slope))
        if rest:
            last = slope.size - rest
            _fade_lanes(v[j], slope, border, border.sums[j], at, last, first(slope, rest))


@jit_inline
def _fade_lanes(v, slope, border, of, at, i, some):
    x = load(v, i, some)
    if border.read:
        put(of, at + i, some, load(of, at + i, some) + load(border.d_v, i, some) * x)
    put(v, i, some, load(slope, i, some) * x)


@jit_views
def _gain_all(v, gains, row):
    """G = G + all that its keys gain."""
    for j in range(len(v)):
        collect(v[j], gains, row, j)


@jit_views
def _own(tile, row, row_v, n, of_drive, gains, moved, membrane, border, at):
    """W or W_Δ: Σ_n δh_n E_n; G = G + c_0·E; E = dec_0 E and what it gains."""
    dec, c, d = moved.decay[n], moved.cross[n], border.d_h[n]
    rest = dec.size % lanes(dec)
    for j in range(tile.shape[1]):
        h, v, key, of = tile[row, j], tile[row_v, j], taken(gains, of_drive, j), border.sums[j]
        for i in range(0, dec.size - rest, lanes(dec)):
            _ask(h, i)
            _own_lanes(h, v, of, at, dec, c, d, key, membrane, border.read, i, full(dec))
        if rest:
            i, some = dec.size - rest, first(dec, rest)
            _own_lanes(h, v, of, at, dec, c, d, key, membrane, border.read, i, some)
        gain_more(h, gains, of_drive, j)


@jit_inline
def _own_lanes(h, v, of, at, dec, c, d, key, membrane, read, i, some):
    x = load(h, i, some)
    if read:
        put(of, at + i, some, load(of, at + i, some) + load(d, i, some) * x)
    if membrane:
        put(v, i, some, load(v, i, some) + load(c, i, some) * x)
    put(h, i, some, load(dec, i, some) * x + gained(key, i, some))


@jit_views
def _fade_apart(v, slope, border, apart):
    """`_fade` where W has columns of some synapses."""
    for j in range(apart.start.size - 1):
        of = border.sums[j]
        for column in range(apart.start[j], apart.start[j + _ONE]):
            i = apart.neuron[column]
            if border.read:
                of[i] += border.d_v[i] * v[column]
            v[column] *= slope[i]


@jit_views
def _own_apart(sparse, n, gains, moved, membrane, border, apart):
    """`_own` where W has columns of some synapses."""
    h, v = sparse[n], sparse[len(moved.decay)] if membrane else sparse[n]
    dec, c, d, neuron = moved.decay[n], moved.cross[n], border.d_h[n], apart.neuron
    for j in range(apart.start.size - 1):
        key, of = taken(gains, H_W, j), border.sums[j]
        for column in range(apart.start[j], apart.start[j + _ONE]):
            i, x = neuron[column], h[column]
            if border.read:
                of[i] += d[i] * x
            if membrane:
                v[column] += c[i] * x
            h[column] = dec[i] * x + gained_one(key, i)
        gain_more_apart(h, gains, H_W, j, apart)


@jit_views
def _gain_all_apart(v, gains, apart):
    """`_gain_all` where W has columns of some synapses."""
    for j in range(apart.start.size - 1):
        key = taken(gains, V_W, j)
        for column in range(apart.start[j], apart.start[j + _ONE]):
            v[column] += gained_one(key, apart.neuron[column])
        gain_more_apart(v, gains, V_W, j, apart)


@jit_views
def _shared(tile, row, row_B, row_C, n, gains, moved, membrane, border):
    """W_B and W_C, which the neurons share: Σ_i δh E + δV G; G = w_0 G + c_0 E + …; E likewise."""
    dec, c, d = moved.decay[n], moved.cross[n], border.d_h[n]
    rest, last = dec.size % lanes(dec), dec.size - dec.size % lanes(dec)
    for j in range(tile.shape[1]):
        h, of_B, of_C = tile[row, j], spread(dec.dtype.type(0.0)), spread(dec.dtype.type(0.0))
        if membrane:
            v_B, v_C = tile[row_B, j], tile[row_C, j]
            key_B, key_C = taken(gains, V_B, j), taken(gains, V_C, j)
            for i in range(0, last, lanes(dec)):
                _ask(v_B, i)
                _ask(v_C, i)
                B, C = _cross(h, v_B, v_C, moved.slope, c, border.d_v, key_B, key_C, i, full(dec))
                of_B, of_C = of_B + B, of_C + C
            if rest:
                some = first(dec, rest)
                B, C = _cross(h, v_B, v_C, moved.slope, c, border.d_v, key_B, key_C, last, some)
                of_B, of_C = of_B + B, of_C + C
            gain_more(v_B, gains, V_B, j)
            gain_more(v_C, gains, V_C, j)
        key = taken(gains, H_B, j)
        for i in range(0, last, lanes(dec)):
            _ask(h, i)
            of_B += _move(h, dec, d, key, i, full(dec))
        if rest:
            of_B += _move(h, dec, d, key, last, first(dec, rest))
        gain_more(h, gains, H_B, j)
        if border.read:
            at = 2 * dec.size + n
            border.sums[j, at] += total(of_B)
            border.sums[j, at + len(moved.decay)] += total(of_C)


@jit_inline
def _cross(h, v_B, v_C, slope, cross, d_v, key_B, key_C, i, some):
    """G of W_B and W_C on; δV G of both."""
    x, y, w, d = load(v_B, i, some), load(v_C, i, some), load(slope, i, some), load(d_v, i, some)
    put(v_B, i, some, w * x + load(cross, i, some) * load(h, i, some) + gained(key_B, i, some))
    put(v_C, i, some, w * y + gained(key_C, i, some))
    return d * x, d * y


@jit_inline
def _move(h, decay, d_h, key, i, some):
    """E of W_B on; δh E."""
    x = load(h, i, some)
    put(h, i, some, load(decay, i, some) * x + gained(key, i, some))
    return load(d_h, i, some) * x


@jit_inline
def _ask(row, i):
    """Ask for what comes `AHEAD` keys later; a vector is a cache line."""
    prefetch(row, AHEAD * row.size + i)


@jit_views
def _advance_keyless(E_A_log, G_A_log, G_D, moved, membrane, border):
    """The same for A_log and D, which no key has."""
    for n in range(len(E_A_log)):
        h, of = E_A_log[n], border.A_log[n]
        if border.read:
            _read(border.d_h[n], h, of)
        if membrane:
            v, c = G_A_log[n], moved.cross[n]
            if border.read:
                _read(border.d_v, v, of)
            _on(v, moved.slope, moved.A_log_v[n])
            for i in range(v.size):
                v[i] += c[i] * h[i]
        _on(h, moved.decay[n], moved.A_log_h[n])
    if membrane:
        if border.read:
            _read(border.d_v, G_D, border.D)
        _on(G_D, moved.slope, moved.D_v)


@jit_views
def _read(d, x, of):
    """Σ δ x."""
    for i in range(d.size):
        of[i] += d[i] * x[i]


@jit_views
def _on(x, decay, more):
    """x = decay x + more."""
    for i in range(x.size):
        x[i] = decay[i] * x[i] + more[i]
