"""A block's state space and somata over a chunk, forwards and backwards, each number touched once.

The equations are those of `functional.selective_ssm`, `lif` and `adjoint`. Loops over neurons
are innermost and touch few arrays: a loop becomes vector instructions where a handful of checks
can show that what it writes is not what it reads.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.functional.surrogate import SLOPE
from bim_explorer.kernels.numba_math import exp_lane, fetch, jit_inline, jit_views, log1p_lane

#: Exact in single precision, and of a type that makes no number beside them longer.
ZERO, ONE, STEEPNESS = np.float32(0.0), np.float32(1.0), np.float32(SLOPE)
#: Where log(1 + e^x) is taken for x, as torch does.
STRAIGHT = np.float32(20.0)


@jit_views
def softplus_and_slope(first, last, x, slope):
    """log(1 + e^x) in the place of x, and 1 / (1 + e^-x), of (b, t, n)."""
    steps, neurons = x.shape[1], x.shape[2]
    for b in range(first, last):
        for t in range(steps):
            x_t, slope_t = x[b, t], slope[b, t]
            for i in range(neurons):
                slope_t[i] = exp_lane(-abs(x_t[i]))
            for i in range(neurons):
                at, less = x_t[i], slope_t[i]
                bent = max(at, ZERO) + log1p_lane(less)
                x_t[i] = at if at > STRAIGHT else bent
                slope_t[i] = (ONE if at > ZERO else less) / (ONE + less)


@jit_views
def forward(first, last, part, u, delta, B, C, A, D, keep, h_0, scratch, decay, h, y):
    """a, h and y of streams first … last - 1 (BIM eqs. 1-2); scratch is (part, n)."""
    steps, neurons, states = u.shape[1], u.shape[2], A.shape[0]
    drive = scratch[part]
    for b in range(first, last):
        for t in range(steps):
            kept = keep[b, t]
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
def adjoint(
    first, last, part, d_y, A, decay, h, h_0, u, delta, gate, B, C, D, scratch,
    selected, d_A, d_D, d_h,
):  # fmt: skip
    """Reverse mode of `forward` and of Δ; d_A (∂L/∂A), d_D are sums of this part of the streams."""
    steps, neurons, states = u.shape[1], u.shape[2], A.shape[0]
    drive, flow, sum_D = scratch[part, 0], scratch[part, 1], d_D[part]
    for b in range(first, last):
        back_b = d_h[b]
        for t in range(steps - 1, -1, -1):
            before = h[b, t - 1] if t > 0 else h_0[b]
            u_t, delta_t, d_y_t = u[b, t], delta[b, t], d_y[b, t]
            d_u_t, d_delta_t = selected[b, t, :neurons], selected[b, t, neurons : 2 * neurons]
            d_B_t, d_C_t = selected[b, t, 2 * neurons :], selected[b, t, 2 * neurons + states :]
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
                    B[b, t, n], C[b, t, n], back_b[n], flow, d_u_t, d_delta_t, d_A[part, n],
                )  # fmt: skip
            # So far d_u_t is Σ_n B_n δh_n.
            gate_t = gate[b, t]
            for i in range(neurons):
                d_delta_t[i] = (d_delta_t[i] + u_t[i] * d_u_t[i]) * gate_t[i]
                d_u_t[i] = d_u_t[i] * delta_t[i] + D[i] * d_y_t[i]


@jit_inline
def _through_state(
    d_y_t, x, x_tm1, a, drive, delta_t, A_n, B_n, C_n, back, flow, d_u_t, d_delta_t, sum_A
):
    """One state of every neuron at one step; ∂L/∂B_n and ∂L/∂C_n."""
    neurons = x.size
    of_B, of_C = x.dtype.type(0.0), x.dtype.type(0.0)
    for i in range(neurons):
        of_C += d_y_t[i] * x[i]
        back[i] += d_y_t[i] * C_n
        of_B += back[i] * drive[i]
        d_u_t[i] += back[i] * B_n
    for i in range(neurons):
        back[i] *= a[i]
        flow[i] = back[i] * x_tm1[i]
    for i in range(neurons):
        sum_A[i] += flow[i] * delta_t[i]
        d_delta_t[i] += flow[i] * A_n[i]
    return of_B, of_C


@jit_views
def membrane(first, last, y, keep, v_0, decay, gain, v_th, v, z, psi, slope):
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
