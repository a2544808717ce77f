"""Left factors that meet filtered spikes: sums at the price of the spikes that fell.

Whatever a chunk adds to an array with the keys p is Σ_k L_k ⊗ p_k. The keys are filtered spikes;
so the filter's adjoint is taken on the left side instead,

    Σ_k L_k ⊗ p_k = Σ_k L̃_k ⊗ s_k + L̃_0 ⊗ p_0,     L̃_k = scale L_k + κ keep_{k+1} L̃_{k+1}

and what is left to multiply are spikes s: a key gains the rows L̃ of the steps at which it spiked.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_math import jit, jit_inline, jit_views
from bim_explorer.kernels.numba_spikes import mark, steps_of, words

#: Rows of `drive` behind those of the steps: zeros, what p and the filter before it had at the
#: chunk's start, and the sum over all steps, which is the bias's.
NOTHING, LAST_FILTER, FIRST_FILTER, BIAS, EXTRA = 0, 1, 2, 3, 4
#: Rows that a key gains at once; the first time it is what p had before and the three spikes.
GROUP = 4


class Gains(NamedTuple):
    """What the keys of a stream gain: rows of `drive`, and which of them a key takes.

    Attributes:
        drive: (row, step + EXTRA, n).
        first: Row of what a key had before the chunk (key,), and its weight.
        weight: (key,).
        second: The same of the filter before it, where there is one (key,).
        times: Steps at which each key's neuron spiked, and steps of nothing; key after key.
        start: Where a key begins in it (key + 1,).
        fell: Steps at which each input spikes, as bits (word, input).
    """

    drive: np.ndarray
    first: np.ndarray
    weight: np.ndarray
    second: np.ndarray
    times: np.ndarray
    start: np.ndarray
    fell: np.ndarray


@jit
def room(n_rows, inputs, steps, neurons, dtype):
    """Room for the gains of one stream."""
    n_keys = inputs + 1
    return Gains(
        np.empty((n_rows, steps + EXTRA, neurons), dtype),
        np.empty(n_keys, np.int64),
        np.empty(n_keys, dtype),
        np.empty(n_keys, dtype),
        np.empty(n_keys * (steps + GROUP), np.uint16),
        np.empty(n_keys + 1, np.int64),
        np.empty((words(steps), inputs), np.uint32),
    )


@jit_views
def gather(gains, spikes, before):
    """Which rows each key takes; the last key is the bias. `before` is (filter, input)."""
    (steps, inputs), order = spikes.shape, len(before)
    mark(spikes, gains.fell)
    end = 0
    for j in range(inputs):
        gains.first[j] = steps + LAST_FILTER
        gains.weight[j] = before[order - 1, j]
        gains.second[j] = before[0, j] if order == 2 else 0.0
        gains.start[j] = end
        end = steps_of(gains.fell, j, gains.times, end)
        end = _padded(gains.times, gains.start[j], end, steps + NOTHING)
    gains.first[inputs] = steps + BIAS
    gains.weight[inputs] = 1.0
    gains.second[inputs] = 0.0
    gains.start[inputs] = end
    gains.start[inputs + 1] = _padded(gains.times, end, end, steps + NOTHING)


@jit_views
def _padded(times, start, end, nothing):
    """Fill up with steps of nothing, to three rows and then to whole groups of four."""
    while end - start < GROUP - 1 or (end - start) % GROUP != GROUP - 1:
        times[end] = nothing
        end += 1
    return end


@jit_inline
def move(x, decay, gains, row, j):
    """x = decay x + all that key j gains in this row."""
    rows, times, at, weight = gains.drive[row], gains.times, gains.start[j], gains.weight[j]
    p, a, b, c = rows[gains.first[j]], rows[times[at]], rows[times[at + 1]], rows[times[at + 2]]
    for i in range(x.size):
        x[i] = decay[i] * x[i] + weight * p[i] + (a[i] + b[i]) + c[i]
    add_more(x, gains, rows, j)


@jit_inline
def gain(x, gains, row, j):
    """Add to x all that key j gains in this row."""
    rows, times, at, weight = gains.drive[row], gains.times, gains.start[j], gains.weight[j]
    p, a, b, c = rows[gains.first[j]], rows[times[at]], rows[times[at + 1]], rows[times[at + 2]]
    for i in range(x.size):
        x[i] += weight * p[i] + (a[i] + b[i]) + c[i]
    add_more(x, gains, rows, j)


@jit_inline
def add_more(x, gains, rows, j):
    """What `move` and `gain` leave: spikes beyond the third, and the first of two filters."""
    times = gains.times
    for at in range(gains.start[j] + GROUP - 1, gains.start[j + 1], GROUP):
        a, b, c, d = rows[times[at]], rows[times[at + 1]], rows[times[at + 2]], rows[times[at + 3]]
        for i in range(x.size):
            x[i] += (a[i] + b[i]) + (c[i] + d[i])
    weight = gains.second[j]
    if weight != 0.0:
        q = rows[rows.shape[0] - EXTRA + FIRST_FILTER]
        for i in range(x.size):
            x[i] += weight * q[i]


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
    for r in range(drive.shape[0]):
        rows = drive[r]
        _total(rows, steps, scale)
        _filter_back(rows, rows[steps + LAST_FILTER], keep, decay)
        if order == 2:
            _filter_back(rows, rows[steps + FIRST_FILTER], keep, decay)


@jit_views
def _total(rows, steps, scale):
    """The bias's sum, and then the scale that it does not have."""
    nothing, total = rows[steps + NOTHING], rows[steps + BIAS]
    for i in range(total.size):
        nothing[i] = 0.0
        total[i] = 0.0
    for t in range(steps):
        row = rows[t]
        for i in range(total.size):
            total[i] += row[i]
        if scale != 1.0:
            for i in range(total.size):
                row[i] *= scale


@jit_views
def _filter_back(rows, start, keep, decay):
    steps = keep.size
    for t in range(steps - 2, -1, -1):
        row, behind, share = rows[t], rows[t + 1], decay * keep[t + 1]
        for i in range(row.size):
            row[i] += share * behind[i]
    first, share = rows[0], decay * keep[0]
    for i in range(start.size):
        start[i] = share * first[i]
