"""Traces of spikes over a chunk, and STDP at the price of its spikes (BIM eqs. 5-6).

The equations are those of `functional.traces` and `functional.stdp`. A pair costs something only
when one of its neurons spikes: then the other side's whole trace is added to one row, the traces
of four spikes at once. What presynaptic spikes take off Ω are its columns: they are gathered as
rows, a few at a time, and turned while they are in the first cache.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_intrinsics import TILE, take_tile
from bim_explorer.kernels.numba_math import jit_views
from bim_explorer.kernels.numba_spikes import mark, steps_of, words

#: Streams whose traces are held at once: they stay in a core's second cache.
TOGETHER = 8


class Scratch(NamedTuple):
    """What is known of some streams while their pairs are added up, for one part of the streams.

    Attributes:
        xs: Presynaptic traces, weighted, and zeros behind the last step (b, step + 1, m).
        ys: Postsynaptic traces, likewise (b, step + 1, n).
        pre: Steps at which inputs spike, as bits (b, word, m).
        post: Steps at which neurons spike, likewise (b, word, n).
        times: Steps at which one channel spikes (step + 3,).
        lost: Columns that are taken off Ω, as rows (TILE, n).
    """

    xs: np.ndarray
    ys: np.ndarray
    pre: np.ndarray
    post: np.ndarray
    times: np.ndarray
    lost: np.ndarray

    @classmethod
    def empty(
        cls, parts: int, streams: int, steps: int, inputs: int, neurons: int, dtype: type
    ) -> Scratch:
        """Room for all parts, each its row of every array; no part has more streams than that."""
        streams = min(streams, TOGETHER)
        return cls(
            np.empty((parts, streams, steps + 1, inputs), dtype),
            np.empty((parts, streams, steps + 1, neurons), dtype),
            np.empty((parts, streams, words(steps), inputs), np.uint32),
            np.empty((parts, streams, words(steps), neurons), np.uint32),
            np.empty((parts, steps + 3), np.uint16),
            np.empty((parts, TILE, neurons), dtype),
        )


@jit_views
def stdp(
    first, last, part, pre, post, keep, decay_plus, decay_minus, plus, minus, room, x, y, omega
):  # fmt: skip
    """Pairs of streams first … last - 1 into omega (part, n, m), and both traces x, y moved.

    `plus` and `minus` are the window's amplitudes, each divided by the number of streams; `room` is
    the `Scratch` of all parts.
    """
    scratch = Scratch(
        room.xs[part],
        room.ys[part],
        room.pre[part],
        room.post[part],
        room.times[part],
        room.lost[part],
    )
    for start in range(first, last, TOGETHER):
        streams = min(TOGETHER, last - start)
        for at in range(streams):
            b = start + at
            _traces(pre[b], keep[b], decay_plus, plus, x[b], scratch.xs[at], True)
            _traces(post[b], keep[b], decay_minus, minus, y[b], scratch.ys[at], False)
            mark(pre[b], scratch.pre[at])
            mark(post[b], scratch.post[at])
        _add_pairs(scratch, streams, omega[part], start == first)


@jit_views
def _add_pairs(scratch, streams, omega, afresh):
    """omega += Σ_b zᵀx - (sᵀy)ᵀ of the streams in the scratch; or =, `afresh`."""
    neurons, inputs = omega.shape
    for start in range(0, neurons, TILE):
        end = min(start + TILE, neurons)
        rows = omega[start:end]
        for b in range(streams):
            new = afresh and b == 0
            _gain(scratch.post[b], scratch.xs[b], scratch.times, start, end, rows, new)
    for start in range(0, inputs, TILE):
        end = min(start + TILE, inputs)
        for b in range(streams):
            _gain(scratch.pre[b], scratch.ys[b], scratch.times, start, end, scratch.lost, b == 0)
        _take(omega, start, end, scratch.lost)


@jit_views
def _traces(spikes, keep, decay, weight, x, xs, own):
    """`weight` times the trace at each step, that step's own spike in it or not, and zeros."""
    steps, channels = spikes.shape
    for t in range(steps):
        s, now, share = spikes[t], xs[t], decay * keep[t]
        for i in range(channels):
            x[i] *= share
        if not own:
            for i in range(channels):
                now[i] = weight * x[i]
        for i in range(channels):
            x[i] += s[i]
        if own:
            for i in range(channels):
                now[i] = weight * x[i]
    xs[steps] = 0.0


@jit_views
def _gain(fell, xs, times, start, end, rows, afresh):
    """Row by row Σ xs at the steps at which channels start … end - 1 spike, four to a pass."""
    nothing = len(xs) - 1
    for i in range(start, end):
        count = steps_of(fell, i, times, 0)
        for at in range(count, count + 3):
            times[at] = nothing
        row = rows[i - start]
        if afresh:
            row[:] = 0.0
        for at in range(0, count, 4):
            a, b, c, d = xs[times[at]], xs[times[at + 1]], xs[times[at + 2]], xs[times[at + 3]]
            for j in range(row.size):
                row[j] += (a[j] + b[j]) + (c[j] + d[j])


@jit_views
def _take(omega, start, end, lost):
    """omega[:, start:end] -= lostᵀ."""
    neurons, inputs = omega.shape
    tall = neurons - neurons % TILE if end - start == TILE else 0
    for i in range(0, tall, TILE):
        take_tile(omega, i * inputs + start, inputs, lost, i, neurons)  # pyright: ignore[reportCallIssue]
    for i in range(tall, neurons):
        for j in range(start, end):
            omega[i, j] -= lost[j - start, i]
