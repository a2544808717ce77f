"""What spikes bring to a dendrite, through all its weights at once and at the spikes' own price.

A filter and a product do not mind which comes first, so the weights' rows are filtered, not p:

    W p_t = scale x_t,     x_t = κ keep_t x_{t-1} + Σ_j W[:, j] over the inputs j that spike at t

and x_0 = W times what the filter holds before the chunk. For two filters in a row the second one's
input is the first one's x.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_math import jit, jit_inline, jit_views


class Currents(NamedTuple):
    """What a stream's spikes have brought so far, W, W_Δ, W_B and W_C side by side.

    Attributes:
        x: What each filter holds (filter, 2n + 2s).
        spiked: Inputs that spike at a step, in its first places (input,).
    """

    x: np.ndarray
    spiked: np.ndarray


@jit
def currents(order, weights):
    """Room for the currents of one stream; `weights` is (input, 2n + 2s)."""
    inputs, width = weights.shape
    return Currents(np.empty((order, width), weights.dtype), np.empty(inputs, np.int64))


@jit_views
def begin(currents, before, weights):
    """What the potentials before the chunk, (filter, input), bring."""
    for level in range(len(before)):
        x, p = currents.x[level], before[level]
        for i in range(x.size):
            x[i] = 0.0
        for j in range(p.size // 4):
            _add_four(x, weights, p, 4 * j)
        for j in range(p.size - p.size % 4, p.size):
            for i in range(x.size):
                x[i] += p[j] * weights[j, i]


@jit_inline
def _add_four(x, weights, p, j):
    """x += Σ p_k weights_k over k = j … j + 3."""
    a, b, c, d = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
    p_a, p_b, p_c, p_d = p[j], p[j + 1], p[j + 2], p[j + 3]
    for i in range(x.size):
        x[i] += (p_a * a[i] + p_b * b[i]) + (p_c * c[i] + p_d * d[i])


@jit_views
def arrive(currents, spikes, share, weights):
    """Let a step's spikes in; `share` is what is left of the step before."""
    x, spiked, count = currents.x[0], currents.spiked, 0
    for j in range(spikes.size):
        spiked[count] = j
        count += spikes[j] != 0
    for i in range(x.size):
        x[i] *= share
    for at in range(0, count - 3, 4):
        a, b = weights[spiked[at]], weights[spiked[at + 1]]
        c, d = weights[spiked[at + 2]], weights[spiked[at + 3]]
        for i in range(x.size):
            x[i] += (a[i] + b[i]) + (c[i] + d[i])
    for at in range(count - count % 4, count):
        a = weights[spiked[at]]
        for i in range(x.size):
            x[i] += a[i]
    if len(currents.x) == 2:
        second = currents.x[1]
        for i in range(x.size):
            second[i] = share * second[i] + x[i]


@jit_views
def follow(spikes, keep, decay, held):
    """Carry what each filter of one stream holds (filter, channel) to the chunk's end, in place."""
    first, last = held[0], held[len(held) - 1]
    for t in range(len(spikes)):
        row, share = spikes[t], decay * keep[t]
        for j in range(row.size):
            first[j] = share * first[j] + row[j]
        if len(held) == 2:
            for j in range(row.size):
                last[j] = share * last[j] + first[j]


@jit_views
def traces_after(first, last, pre, post, keep, decay_pre, decay_post, x, y):
    """Both traces of STDP carried to the chunk's end, in place."""
    for b in range(first, last):
        follow(pre[b], keep[b], decay_pre, x[b : b + 1])
        follow(post[b], keep[b], decay_post, y[b : b + 1])
