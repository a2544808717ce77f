"""A block's dendrites and somata over a chunk, forwards and backwards, each number touched once.

The equations are those of `functional.selective_ssm`, `lif` and `adjoint`. What spikes bring comes
from `numba_currents`, and how they take it back from `numba_gains`. Loops over neurons
are innermost and touch few arrays: a loop becomes vector instructions where a handful of checks
can show that what it writes is not what it reads.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.functional.surrogate import SLOPE
from bim_explorer.kernels.numba_currents import arrive, begin, currents, follow
from bim_explorer.kernels.numba_gains import collect, filter_back, gather, room
from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread, total
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


@jit_views
def prepare(W, W_delta, b_delta, W_B, b_B, W_C, b_C, A_log, weights, bias, A):
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
def hand_back(sums, of_A_log, rows, turned):
    """Sums over all parts, turned to lie as the parameters do."""
    turn(of_A_log, turned, 0)
    turn(sums[:-1], rows, 0)


@jit
def forward(
    first, last, spikes, before, keep, psp_decay, psp_scale, weights, bias, A, D, h_0,
    psp_after, u, delta, gate, B, C, decay, h, y, h_after,
):  # fmt: skip
    """From spikes to y of streams first … last - 1 (BIM eqs. 1-3).

    `weights` and `bias` as `prepare` leaves them; `psp_after` holds what `before` does.
    """
    order, drive = len(before), np.empty_like(D)
    coming = currents(order, weights)
    for b in range(first, last):
        follow(spikes[b], keep[b], psp_decay, psp_after[:, b])
        begin(coming, before[:, b], weights)
        for t in range(len(keep[b])):
            kept = keep[b, t]
            arrive(coming, spikes[b, t], psp_decay * kept, weights)
            _select(coming.x[order - 1], psp_scale, bias, u[b, t], delta[b, t], gate[b, t],
                    B[b, t], C[b, t])  # fmt: skip
            _state_space(b, t, kept, u, delta, B, C, A, D, h_0, drive, decay, h, y)
        h_after[b] = h[b, len(keep[b]) - 1]


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


@jit
def adjoint(
    first, last, part, decay, h, h_0, u, delta, gate, B, C, A, D,
    spikes, before, keep, psp_decay, psp_scale, d_y, below, back, of_weights, of_A_log, of_D, d_h,
):  # fmt: skip
    """Reverse mode of `forward`, added to the sums of this part of the streams, which begin at 0.

    `of_weights` is (part, key, 2n + 2s), the last key being the bias; `of_A_log` (part, s, n).
    If `below`, `back` (b, t, 2n + 2s) takes what the weights still have to bring to the spikes.
    """
    steps, width, drive = u.shape[1], of_weights.shape[2], np.empty_like(D)
    gains = room(1, spikes.shape[2], steps, width, D.dtype)
    selected, sums, of_A = gains.drive[0], of_weights[part], of_A_log[part]
    for b in range(first, last):
        for t in range(steps - 1, -1, -1):
            _back_through(
                b, t, d_y, A, D, h_0, u, delta, gate, B, C, decay, h, drive,
                selected[t], of_A, of_D[part], d_h[b],
            )  # fmt: skip
        filter_back(gains.drive, keep[b], psp_decay, psp_scale, len(before))
        gather(gains, spikes[b], before[:, b])
        for j in range(len(sums)):
            collect(sums[j], gains, 0, j)
        if below:
            back[b] = selected[:steps]
    for n in range(len(A)):
        for i in range(D.size):
            of_A[n, i] *= A[n, i]


@jit_views
def _back_through(
    b, t, d_y, A, D, h_0, u, delta, gate, B, C, decay, h, drive, selected, sum_A, sum_D, back
):
    """One step of one stream: δ of u, W_Δ p + b_Δ, B and C to `selected`, δh to `back`."""
    neurons, states = D.size, A.shape[0]
    before = h[b, t - 1] if t > 0 else h_0[b]
    u_t, delta_t, gate_t, d_y_t = u[b, t], delta[b, t], gate[b, t], d_y[b, t]
    d_u_t, d_delta_t = selected[:neurons], selected[neurons : 2 * neurons]
    d_B_t, d_C_t = selected[2 * neurons :], selected[2 * neurons + states :]
    for i in range(neurons):
        drive[i] = delta_t[i] * u_t[i]
        sum_D[i] += u_t[i] * d_y_t[i]
    for i in range(neurons):
        d_u_t[i] = 0.0
        d_delta_t[i] = 0.0
    for n in range(states):
        if t > 0:
            fetch(decay[b, t - 1, n])
            fetch(h[b, t - 2, n] if t > 1 else h_0[b, n])
        d_B_t[n], d_C_t[n] = _through_state(
            d_y_t, h[b, t, n], before[n], decay[b, t, n], drive, delta_t, A[n],
            B[b, t, n], C[b, t, n], back[n], d_u_t, d_delta_t, sum_A[n],
        )  # fmt: skip
    # So far d_u_t is Σ_n B_n δh_n.
    for i in range(neurons):
        d_delta_t[i] = (d_delta_t[i] + u_t[i] * d_u_t[i]) * gate_t[i]
        d_u_t[i] = d_u_t[i] * delta_t[i] + D[i] * d_y_t[i]


@jit_inline
def _through_state(
    d_y_t, x, x_tm1, a, drive, delta_t, A_n, B_n, C_n, back, d_u_t, d_delta_t, sum_A
):
    """One state of every neuron at one step; ∂L/∂B_n and ∂L/∂C_n."""
    rest, last = x.size % lanes(x), x.size - x.size % lanes(x)
    of_B, of_C = spread(x.dtype.type(0.0)), spread(x.dtype.type(0.0))
    for i in range(0, last, lanes(x)):
        to_B, to_C = _through_neurons(
            d_y_t, x, x_tm1, a, drive, delta_t, A_n, B_n, C_n, back, d_u_t, d_delta_t, sum_A,
            i, full(x),
        )  # fmt: skip
        of_B, of_C = of_B + to_B, of_C + to_C
    if rest:
        to_B, to_C = _through_neurons(
            d_y_t, x, x_tm1, a, drive, delta_t, A_n, B_n, C_n, back, d_u_t, d_delta_t, sum_A,
            last, first(x, rest),
        )  # fmt: skip
        of_B, of_C = of_B + to_B, of_C + to_C
    return total(of_B), total(of_C)


@jit_inline
def _through_neurons(
    d_y_t, x, x_tm1, a, drive, delta_t, A_n, B_n, C_n, back, d_u_t, d_delta_t, sum_A, i, some
):
    d_y = load(d_y_t, i, some)
    d_h = load(back, i, some) + d_y * spread(C_n)
    before = d_h * load(a, i, some)
    flow = before * load(x_tm1, i, some)
    put(back, i, some, before)
    put(d_u_t, i, some, load(d_u_t, i, some) + d_h * spread(B_n))
    put(sum_A, i, some, load(sum_A, i, some) + flow * load(delta_t, i, some))
    put(d_delta_t, i, some, load(d_delta_t, i, some) + flow * load(A_n, i, some))
    return d_h * load(drive, i, some), d_y * load(x, i, some)


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


@jit_views
def soma_adjoint(first, last, psi, slope, gain, d_y, d_z, reaches, start):
    """λ_t = ψ_t δz_t + slope_{t+1} λ_{t+1}, δy + g λ, and slope_1 λ_1."""
    steps, neurons = d_y.shape[1], d_y.shape[2]
    for b in range(first, last):
        behind = start[b]
        for i in range(neurons):
            behind[i] = 0.0
        for t in range(steps - 1, -1, -1):
            psi_t, slope_t, d_y_t, d_z_t, at = (
                psi[b, t],
                slope[b, t],
                d_y[b, t],
                d_z[b, t],
                reaches[b, t],
            )
            for i in range(neurons):
                behind[i] += psi_t[i] * d_z_t[i]
            for i in range(neurons):
                at[i] = d_y_t[i] + gain[i] * behind[i]
            for i in range(neurons):
                behind[i] *= slope_t[i]
