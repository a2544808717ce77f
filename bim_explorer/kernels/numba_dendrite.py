"""A block's dendrites and somata over a chunk, each number touched once.

The equations are those of `functional.selective_ssm` and `lif`; what spikes bring comes from
`numba_currents`. Loops over neurons are innermost and touch few arrays: a loop becomes vector
instructions where a handful of checks can show that what it writes is not what it reads.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.functional.surrogate import SLOPE
from bim_explorer.kernels.numba_currents import arrive, begin, currents, follow
from bim_explorer.kernels.numba_math import (
    exp_lane,
    fetch,
    jit,
    jit_inline,
    jit_views,
    log1p_lane,
    turn,
)

#: Exact in single precision, and of a type that makes no number beside them longer.
ZERO, ONE, STEEPNESS = np.float32(0.0), np.float32(1.0), np.float32(SLOPE)
#: Where log(1 + e^x) is taken for x, as torch does.
STRAIGHT = np.float32(20.0)


@jit
def forward(
    first, last, part, spikes, before, keep, psp_decay, psp_scale,
    W, W_delta, b_delta, W_B, b_B, W_C, b_C, A_log, D, h_0,
    A, psp_after, u, delta, gate, B, C, decay, h, y, h_after,
):  # fmt: skip
    """From spikes to y of streams first … last - 1 (BIM eqs. 1-3).

    `A` is (part, s, n), each part's own; `psp_after` holds what `before` does.
    """
    order, drive, A_part = len(before), np.empty_like(D), A[part]
    weights = np.empty((W.shape[1], 2 * (len(W) + len(W_B))), D.dtype)
    bias = np.empty(weights.shape[1], D.dtype)
    _prepare(W, W_delta, b_delta, W_B, b_B, W_C, b_C, A_log, weights, bias, A_part)
    coming = currents(order, weights)
    for b in range(first, last):
        follow(spikes[b], keep[b], psp_decay, psp_after[:, b])
        begin(coming, before[:, b], weights)
        for t in range(len(keep[b])):
            kept = keep[b, t]
            arrive(coming, spikes[b, t], psp_decay * kept, weights)
            _select(coming.x[order - 1], psp_scale, bias, u[b, t], delta[b, t], gate[b, t],
                    B[b, t], C[b, t])  # fmt: skip
            _state_space(b, t, kept, u, delta, B, C, A_part, D, h_0, drive, decay, h, y)
        h_after[b] = h[b, len(keep[b]) - 1]


@jit_views
def _prepare(W, W_delta, b_delta, W_B, b_B, W_C, b_C, A_log, weights, bias, A):
    """The weights, a row for each input (input, 2n + 2s), the biases likewise, and A (s, n)."""
    (neurons, states), at = A_log.shape, 0
    for matrix in (W, W_delta, W_B, W_C):
        turn(matrix, weights, at)
        at += len(matrix)
    for i in range(neurons):
        bias[i] = 0.0
        bias[neurons + i] = b_delta[i]
    for n in range(states):
        bias[2 * neurons + n] = b_B[n]
        bias[2 * neurons + states + n] = b_C[n]
    turn(A_log, A, 0)
    for n in range(states):
        for i in range(neurons):
            A[n, i] = -exp_lane(A[n, i])


@jit_views
def _select(x, scale, bias, u, delta, gate, B, C):
    """Currents and selection of one step, from what came for all of them."""
    neurons, states = u.size, B.size
    through, more = x[neurons : 2 * neurons], bias[neurons : 2 * neurons]
    for i in range(neurons):
        u[i] = scale * x[i]
    for i in range(neurons):
        delta[i] = scale * through[i] + more[i]
    for n in range(states):
        at = 2 * neurons + n
        B[n] = scale * x[at] + bias[at]
        C[n] = scale * x[at + states] + bias[at + states]
    softplus_and_slope(delta, gate)


@jit_inline
def softplus_and_slope(x, slope):
    """log(1 + e^x) in the place of x, and 1 / (1 + e^-x)."""
    for i in range(x.size):
        slope[i] = exp_lane(-abs(x[i]))
    for i in range(x.size):
        at, less = x[i], slope[i]
        bent = max(at, ZERO) + log1p_lane(less)
        x[i] = at if at > STRAIGHT else bent
        slope[i] = (ONE if at > ZERO else less) / (ONE + less)


@jit_views
def _state_space(b, t, kept, u, delta, B, C, A, D, h_0, drive, decay, h, y):
    """a, h and y of one step (BIM eqs. 1-2); drive is scratch (n,)."""
    (steps, neurons), states = u.shape[1:], A.shape[0]
    before = h[b, t - 1] if t > 0 else h_0[b]
    u_t, delta_t, y_t = u[b, t], delta[b, t], y[b, t]
    for i in range(neurons):
        drive[i] = delta_t[i] * u_t[i]
        y_t[i] = D[i] * u_t[i]
    for n in range(states):
        B_n, C_n = B[b, t, n], C[b, t, n]
        a, x, x_tm1, A_n = decay[b, t, n], h[b, t, n], before[n], A[n]
        if t + 1 < steps:
            fetch(decay[b, t + 1, n])
            fetch(h[b, t + 1, n])
        for i in range(neurons):
            a[i] = exp_lane(delta_t[i] * A_n[i]) * kept
        for i in range(neurons):
            x[i] = a[i] * x_tm1[i] + drive[i] * B_n
            y_t[i] += C_n * x[i]


@jit_views
def membrane(first, last, y, keep, v_0, decay, gain, v_th, v, z, psi, slope, after):
    """V with its reset, z, ψ and keep r (BIM eq. 3)."""
    steps, neurons = y.shape[1], y.shape[2]
    for b in range(first, last):
        # until step 0 is done, its rows hold what was before the chunk
        before, spiked, steep = v_0[b], z[b, 0], psi[b, 0]
        _fire(before, v_th, spiked, steep)
        for t in range(steps):
            now, slope_t, y_t, kept = v[b, t], slope[b, t], y[b, t], keep[b, t]
            for i in range(neurons):
                now[i] = kept * (decay * before[i] - v_th * spiked[i]) + gain * y_t[i]
            for i in range(neurons):
                slope_t[i] = kept * (decay - v_th * steep[i])
            before, spiked, steep = now, z[b, t], psi[b, t]
            _fire(before, v_th, spiked, steep)
        after_b = after[b]
        for i in range(neurons):
            after_b[i] = before[i]


@jit_inline
def _fire(v, v_th, spiked, steep):
    """z and ψ of `functional.surrogate`, at V."""
    for i in range(v.size):
        spiked[i] = ONE if v[i] > v_th else ZERO
    for i in range(v.size):
        bent = ONE + STEEPNESS * abs(v[i] - v_th)
        steep[i] = ONE / (bent * bent)
