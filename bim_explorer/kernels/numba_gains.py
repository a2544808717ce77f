"""Left factors that meet filtered spikes: sums at the price of the spikes that fell.

Whatever a chunk adds to an array with the keys p is Σ_k L_k ⊗ p_k. The keys are filtered spikes;
so the filter's adjoint is taken on the left side instead,

    Σ_k L_k ⊗ p_k = Σ_k L̃_k ⊗ s_k + L̃_0 ⊗ p_0,     L̃_k = scale L_k + κ keep_{k+1} L̃_{k+1}

and what is left to multiply are spikes s: a key gains the rows L̃ of the steps at which it spiked.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread
from bim_explorer.kernels.numba_math import jit, jit_inline, jit_views
from bim_explorer.kernels.numba_spikes import mark, steps_of, words

#: Rows of `drive` behind those of the steps: zeros, what p and the filter before it had at the
#: chunk's start, and the sum over all steps, which is the bias's.
NOTHING, LAST_FILTER, FIRST_FILTER, BIAS, EXTRA = 0, 1, 2, 3, 4
#: Rows that a key gains at once; the first time it is what p had before and the three spikes.
GROUP = 4
#: An index that is never counted from the end.
_ONE = np.uintp(1)


class Gains(NamedTuple):
    """What the keys of a stream gain: rows of `drive`, and which of them a key takes.

    Attributes:
        drive: (row, step + EXTRA, n).
        weight: Of what p had before the chunk, the first row that a key takes (key,).
        second: The same of the filter before it, where there is one (key,).
        groups: Where the rows begin that are taken together, as numbers of `drive[row]`: those of
            what p had and of the steps of spikes, and nothing; key after key (group, GROUP).
        places: The same one by one.
        start: Where a key begins in `groups` (key + 1,).
        fell: Steps at which each input spikes, as bits (word, input).
    """

    drive: np.ndarray
    weight: np.ndarray
    second: np.ndarray
    groups: np.ndarray
    places: np.ndarray
    start: np.ndarray
    fell: np.ndarray


@jit
def room(n_rows, inputs, steps, neurons, dtype):
    """Room for the gains of one stream."""
    n_keys = inputs + 1
    groups = np.empty((n_keys * (steps // GROUP + 1), GROUP), np.uint32)
    return Gains(
        np.empty((n_rows, steps + EXTRA, neurons), dtype),
        np.empty(n_keys, dtype),
        np.empty(n_keys, dtype),
        groups,
        groups.reshape(-1),
        np.empty(n_keys + 1, np.uintp),
        np.empty((words(steps), inputs), np.uint32),
    )


@jit_views
def gather(gains, spikes, before):
    """Which rows each key takes; the last key is the bias. `before` is (filter, input)."""
    (steps, inputs), order, width = spikes.shape, len(before), gains.drive.shape[2]
    mark(spikes, gains.fell)
    places, end = gains.places, 0
    for j in range(inputs + 1):
        begin, biased = end, j == inputs
        gains.start[j] = begin // GROUP
        gains.weight[j] = 1.0 if biased else before[order - 1, j]
        gains.second[j] = before[0, j] if order == 2 and not biased else 0.0
        places[end] = steps + (BIAS if biased else LAST_FILTER)
        end += 1
        if not biased:
            end = steps_of(gains.fell, j, places, end)
        while end % GROUP:
            places[end] = steps + NOTHING
            end += 1
        for at in range(begin, end):
            places[at] *= width
    gains.start[inputs + 1] = end // GROUP


class Taken(NamedTuple):
    """The first group that one key gains in a row of `drive`.

    Attributes:
        rows: Left factors of the steps, and what lies behind them (step + EXTRA, n).
        weight: Of what p had before the chunk, which begins at number `p` of `rows`.
        a, b, c: Where the rows of three steps begin.
    """

    rows: np.ndarray
    weight: float
    p: int
    a: int
    b: int
    c: int


@jit_inline
def taken(gains, row, j):
    """What key j gains first in a row of `drive`."""
    group = gains.groups[gains.start[j]]
    return Taken(gains.drive[row], gains.weight[j], group[0], group[1], group[2], group[3])


@jit_inline
def gained(key, i, some):
    """Its sum in some lanes."""
    rows = key.rows
    x = spread(key.weight) * load(rows, key.p + i, some) + load(rows, key.a + i, some)
    return x + (load(rows, key.b + i, some) + load(rows, key.c + i, some))


@jit_inline
def gain_more(x, gains, row, j):
    """Add to x what key j gains past its first group: more spikes, and the first filter's p."""
    rows, rest = gains.drive[row], x.size % lanes(x)
    for number in range(gains.start[j] + _ONE, gains.start[j + 1]):
        group = gains.groups[number]
        for i in range(0, x.size - rest, lanes(x)):
            _add_group(x, rows, group[0], group[1], group[2], group[3], i, full(x))
        if rest:
            i, some = x.size - rest, first(x, rest)
            _add_group(x, rows, group[0], group[1], group[2], group[3], i, some)
    weight = gains.second[j]
    if weight != 0.0:
        q = rows[len(rows) - EXTRA + FIRST_FILTER]
        for i in range(x.size):
            x[i] += weight * q[i]


@jit_inline
def _add_group(x, rows, a, b, c, d, i, some):
    more = load(rows, a + i, some) + load(rows, b + i, some)
    more += load(rows, c + i, some) + load(rows, d + i, some)
    put(x, i, some, load(x, i, some) + more)


@jit_views
def collect(x, gains, row, j):
    """Add to x all that key j gains in this row."""
    key, rest = taken(gains, row, j), x.size % lanes(x)
    for i in range(0, x.size - rest, lanes(x)):
        some = full(x)
        put(x, i, some, load(x, i, some) + gained(key, i, some))
    if rest:
        i, meant = x.size - rest, first(x, rest)
        put(x, i, meant, load(x, i, meant) + gained(key, i, meant))
    gain_more(x, gains, row, j)


@jit_views
def filter_back(drive, keep, decay, scale, order):
    """From L to L̃, in place, and the rows behind the steps.

    Args:
        drive: L in the first rows of axis 1, (row, step + EXTRA, n).
        keep: (step,).
        decay: κ.
        scale: What the filtered spikes are multiplied by.
        order: Filters in a row, 1 or 2.
    """
    width = drive.shape[2]
    rest = width % lanes(drive)
    for r in range(len(drive)):
        rows = drive[r]
        for i in range(0, width - rest, lanes(drive)):
            _filter_back(rows, keep, decay, scale, order, i, full(drive))
        if rest:
            _filter_back(rows, keep, decay, scale, order, width - rest, first(drive, rest))


@jit_inline
def _filter_back(rows, keep, decay, scale, order, i, some):
    steps, nothing = keep.size, spread(rows.dtype.type(0.0))
    put(rows[steps + NOTHING], i, some, nothing)
    bias, behind, factor = nothing, nothing, spread(scale)
    for t in range(steps - 1, -1, -1):
        share = decay * keep[t + 1] if t + 1 < steps else decay
        given = load(rows[t], i, some)
        bias += given
        behind = factor * given + spread(share) * behind
        put(rows[t], i, some, behind)
    put(rows[steps + BIAS], i, some, bias)
    put(rows[steps + LAST_FILTER], i, some, spread(decay * keep[0]) * behind)
    if order == 2:
        behind = nothing
        for t in range(steps - 1, -1, -1):
            share = decay * keep[t + 1] if t + 1 < steps else decay
            behind = load(rows[t], i, some) + spread(share) * behind
            put(rows[t], i, some, behind)
        put(rows[steps + FIRST_FILTER], i, some, spread(decay * keep[0]) * behind)
