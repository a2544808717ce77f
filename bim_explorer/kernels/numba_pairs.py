"""Traces of spikes over a chunk, and STDP at the price of its spikes (BIM eqs. 3, 5-6).

The equations are those of `functional.traces` and `functional.stdp`. A pair costs something only
when one of its neurons spikes: then the other side's whole trace is added to one row.
"""

from __future__ import annotations

from bim_explorer.kernels.numba_math import jit_views

#: Rows and columns that are transposed together: both tiles fill a few cache lines each.
TILE = 16


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
    first, last, part, pre, post, keep, decay_plus, decay_minus, x, y, potentiation, depression
):
    """Pairs of streams first … last - 1, and both traces x, y (b, channel) moved in place.

    potentiation (part, n, m) gains x at each postsynaptic spike, depression (part, m, n) gains y
    at each presynaptic one.
    """
    steps, inputs, neurons = pre.shape[1], pre.shape[2], post.shape[2]
    gained, lost = potentiation[part], depression[part]
    for b in range(first, last):
        x_b, y_b = x[b], y[b]
        for t in range(steps):
            s, z, kept = pre[b, t], post[b, t], keep[b, t]
            share_plus, share_minus = decay_plus * kept, decay_minus * kept
            for j in range(inputs):
                x_b[j] = share_plus * x_b[j] + s[j]
            for i in range(neurons):
                y_b[i] *= share_minus
            for i in range(neurons):
                if z[i] != 0.0:
                    row = gained[i]
                    for j in range(inputs):
                        row[j] += x_b[j]
            for j in range(inputs):
                if s[j] != 0.0:
                    row = lost[j]
                    for i in range(neurons):
                        row[i] += y_b[i]
            for i in range(neurons):
                y_b[i] += z[i]


@jit_views
def weigh(potentiation, depression, plus, minus, omega):
    """omega (n, m) = plus potentiation - minus depressionᵀ, tile by tile, all parts together."""
    parts, neurons, inputs = potentiation.shape
    for top in range(0, neurons, TILE):
        for left in range(0, inputs, TILE):
            for i in range(top, min(top + TILE, neurons)):
                for j in range(left, min(left + TILE, inputs)):
                    total = plus * potentiation[0, i, j] - minus * depression[0, j, i]
                    for part in range(1, parts):
                        total += plus * potentiation[part, i, j] - minus * depression[part, j, i]
                    omega[i, j] = total
