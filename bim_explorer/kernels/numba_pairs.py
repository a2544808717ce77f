"""Traces of spikes over a chunk, and STDP at the price of its spikes (BIM eqs. 3, 5-6).

The equations are those of `functional.traces` and `functional.stdp`. A pair costs something only
when one of its neurons spikes: then the other side's whole trace is added to one row, the traces
of four spikes at once.
"""

from __future__ import annotations

from bim_explorer.kernels.numba_math import jit_views

#: Columns that are transposed together: as many lines of the cache are read side by side.
STRIPE = 8


@jit_views
def trace(first, last, spikes, keep, initial, decay, x):
    """x_t = decay keep_t x_{t-1} + s_t."""
    steps, channels = spikes.shape[1], spikes.shape[2]
    for b in range(first, last):
        for t in range(steps):
            before, now, s = (x[b, t - 1] if t > 0 else initial[b]), x[b, t], spikes[b, t]
            share = decay * keep[b, t]
            for i in range(channels):
                now[i] = share * before[i] + s[i]


@jit_views
def trace_adjoint(first, last, d_trace, keep, decay, d_spikes):
    """∂L/∂s_t = ∂L/∂x_t + decay keep_{t+1} ∂L/∂s_{t+1}."""
    steps, channels = d_trace.shape[1], d_trace.shape[2]
    for b in range(first, last):
        for t in range(steps - 1, -1, -1):
            now, d = d_spikes[b, t], d_trace[b, t]
            for i in range(channels):
                now[i] = d[i]
            if t + 1 < steps:
                behind, share = d_spikes[b, t + 1], decay * keep[b, t + 1]
                for i in range(channels):
                    now[i] += share * behind[i]


@jit_views
def stdp(
    first, last, part, pre, post, keep, decay_plus, decay_minus, xs, ys, times, x, y,
    potentiation, depression,
):  # fmt: skip
    """Pairs of streams first … last - 1, and both traces x, y (b, channel) moved in place.

    potentiation (part, n, m) is what x was at each postsynaptic spike, summed, and depression
    (part, m, n) what y was at each presynaptic one.
    Scratch: xs (part, step + 1, m), ys (part, step + 1, n), times (part, step + 3).
    """
    for b in range(first, last):
        _traces(pre[b], keep[b], decay_plus, x[b], xs[part], True)
        _traces(post[b], keep[b], decay_minus, y[b], ys[part], False)
        _gain(post[b], xs[part], times[part], potentiation[part], b == first)
        _gain(pre[b], ys[part], times[part], depression[part], b == first)


@jit_views
def _traces(spikes, keep, decay, x, xs, own):
    """The trace at each step, that step's own spike in it or not, and zeros behind the last."""
    steps, channels = spikes.shape
    for t in range(steps):
        s, now, share = spikes[t], xs[t], decay * keep[t]
        for i in range(channels):
            x[i] *= share
        if not own:
            for i in range(channels):
                now[i] = x[i]
        for i in range(channels):
            x[i] += s[i]
        if own:
            for i in range(channels):
                now[i] = x[i]
    xs[steps] = 0.0


@jit_views
def _gain(spikes, xs, times, gained, afresh):
    """gained[i] += Σ xs at the steps at which channel i spikes, four of them in a pass."""
    steps, channels = spikes.shape
    for i in range(channels):
        count = 0
        for t in range(steps):
            if spikes[t, i] != 0.0:
                times[count] = t
                count += 1
        for at in range(count, count + 3):
            times[at] = steps
        row = gained[i]
        if afresh:
            row[:] = 0.0
        for at in range(0, count, 4):
            a, b, c, d = xs[times[at]], xs[times[at + 1]], xs[times[at + 2]], xs[times[at + 3]]
            for j in range(row.size):
                row[j] += (a[j] + b[j]) + (c[j] + d[j])


@jit_views
def weigh(potentiation, depression, plus, minus):
    """plus potentiation - minus depressionᵀ of all parts together, into potentiation[0]."""
    parts, neurons, inputs = potentiation.shape
    omega, lost, whole = potentiation[0], depression[0], inputs - inputs % STRIPE
    for part in range(1, parts):
        for i in range(neurons):
            for j in range(inputs):
                omega[i, j] += potentiation[part, i, j]
        for j in range(inputs):
            for i in range(neurons):
                lost[j, i] += depression[part, j, i]
    for left in range(0, whole, STRIPE):
        for i in range(neurons):
            for j in range(left, left + STRIPE):
                omega[i, j] = plus * omega[i, j] - minus * lost[j, i]
    for i in range(neurons):
        for j in range(whole, inputs):
            omega[i, j] = plus * omega[i, j] - minus * lost[j, i]
