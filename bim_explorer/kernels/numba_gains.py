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
        groups: Steps that are taken together: that of what p had, those of spikes, and steps of
            nothing; key after key (group, GROUP).
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
    groups = np.empty((n_keys * (steps // GROUP + 1), GROUP), np.uint16)
    return Gains(
        np.empty((n_rows, steps + EXTRA, neurons), dtype),
        np.empty(n_keys, dtype),
        np.empty(n_keys, dtype),
        groups,
        groups.reshape(-1),
        np.empty(n_keys + 1, np.uintp),
        np.empty((words(steps), inputs), np.uint32),
    )


@jit
def beside(gains, n_rows, width):
    """Rows of another width for the same keys, whose steps are known once they are gathered."""
    drive = np.empty((n_rows, gains.drive.shape[1], width), gains.drive.dtype)
    return Gains(
        drive, gains.weight, gains.second, gains.groups, gains.places, gains.start, gains.fell
    )


@jit_views
def gather(gains, spikes, before):
    """Which rows each key takes; the last key is the bias. `before` is (filter, input)."""
    (steps, inputs), order = spikes.shape, len(before)
    mark(spikes, gains.fell)
    places, end = gains.places, 0
    for j in range(inputs + 1):
        biased = j == inputs
        gains.start[j] = end // GROUP
        gains.weight[j] = 1.0 if biased else before[order - 1, j]
        gains.second[j] = before[0, j] if order == 2 and not biased else 0.0
        places[end] = steps + (BIAS if biased else LAST_FILTER)
        end += 1
        if not biased:
            end = steps_of(gains.fell, j, places, end)
        while end % GROUP:
            places[end] = steps + NOTHING
            end += 1
    gains.start[inputs + 1] = end // GROUP


class Taken(NamedTuple):
    """The first group that one key gains in a row of `drive`.

    Attributes:
        weight: Of what p had before the chunk, whose row is `p`.
        a, b, c: Rows of three steps.
    """

    weight: float
    p: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray


@jit_inline
def taken(gains, row, j):
    """What key j gains first in a row of `drive`."""
    rows, group = gains.drive[row], gains.groups[gains.start[j]]
    p, a, b, c = rows[group[0]], rows[group[1]], rows[group[2]], rows[group[3]]
    return Taken(gains.weight[j], p, a, b, c)


@jit_inline
def gained(key, i, some):
    """Its sum in some lanes."""
    x = spread(key.weight) * load(key.p, i, some) + load(key.a, i, some)
    return x + (load(key.b, i, some) + load(key.c, i, some))


@jit_inline
def gained_one(key, i):
    """Its sum at one neuron."""
    return (key.weight * key.p[i] + key.a[i]) + (key.b[i] + key.c[i])


@jit_inline
def gain_more(x, gains, row, j):
    """Add to x what key j gains past its first group: more spikes, and the first filter's p."""
    rows, rest = gains.drive[row], x.size % lanes(x)
    for number in range(gains.start[j] + _ONE, gains.start[j + 1]):
        group = gains.groups[number]
        a, b, c, d = rows[group[0]], rows[group[1]], rows[group[2]], rows[group[3]]
        for i in range(0, x.size - rest, lanes(x)):
            _add_four(x, a, b, c, d, i, full(x))
        if rest:
            _add_four(x, a, b, c, d, x.size - rest, first(x, rest))
    weight = gains.second[j]
    if weight != 0.0:
        q = rows[len(rows) - EXTRA + FIRST_FILTER]
        for i in range(x.size):
            x[i] += weight * q[i]


@jit_inline
def gain_more_apart(x, gains, row, j, apart):
    """The same where x has columns of some neurons, see `numba_influence.Apart`."""
    rows, begin, end = gains.drive[row], apart.start[j], apart.start[j + _ONE]
    for number in range(gains.start[j] + _ONE, gains.start[j + _ONE]):
        group = gains.groups[number]
        a, b, c, d = rows[group[0]], rows[group[1]], rows[group[2]], rows[group[3]]
        for column in range(begin, end):
            i = apart.neuron[column]
            x[column] += (a[i] + b[i]) + (c[i] + d[i])
    weight = gains.second[j]
    if weight != 0.0:
        q = rows[len(rows) - EXTRA + FIRST_FILTER]
        for column in range(begin, end):
            x[column] += weight * q[apart.neuron[column]]


@jit_inline
def _add_four(x, a, b, c, d, i, some):
    more = (load(a, i, some) + load(b, i, some)) + (load(c, i, some) + load(d, i, some))
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
    steps = keep.size
    for r in range(len(drive)):
        rows = drive[r]
        nothing, bias = rows[steps + NOTHING], rows[steps + BIAS]
        for i in range(bias.size):
            nothing[i] = 0.0
            bias[i] = 0.0
        _filter_back(rows, rows[steps + LAST_FILTER], keep, decay, scale, True)
        if order == 2:
            one = drive.dtype.type(1.0)
            _filter_back(rows, rows[steps + FIRST_FILTER], keep, decay, one, False)


@jit_views
def _filter_back(rows, start, keep, decay, scale, summed):
    """One filter's adjoint; the bias's sum, where `summed`, is taken of what comes in."""
    steps, rest, last = keep.size, start.size % lanes(start), start.size - start.size % lanes(start)
    for t in range(steps - 1, -1, -1):
        # behind the last step lies the row of zeros
        share = decay * keep[t + 1] if t + 1 < steps else decay
        for i in range(0, last, lanes(start)):
            _back_one(rows, t, steps, share, scale, summed, i, full(start))
        if rest:
            _back_one(rows, t, steps, share, scale, summed, last, first(start, rest))
    share = decay * keep[0]
    for i in range(start.size):
        start[i] = share * rows[0, i]


@jit_inline
def _back_one(rows, t, steps, share, scale, summed, i, some):
    row, given = rows[t], load(rows[t], i, some)
    if summed:
        bias = rows[steps + BIAS]
        put(bias, i, some, load(bias, i, some) + given)
    put(row, i, some, spread(scale) * given + spread(share) * load(rows[t + 1], i, some))
