"""What a chunk adds to the influences of one stream, step by step from its end.

`transport` writes dec ⊙ g and c·g of `functional.rtrl` for every step: the left factors that meet
the potentials (`numba_gains`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_math import jit_inline, jit_views


class Flow(NamedTuple):
    """What a chunk did in one stream."""

    decay: np.ndarray
    h: np.ndarray
    h_0: np.ndarray
    u: np.ndarray
    delta: np.ndarray
    gate: np.ndarray
    B: np.ndarray
    C: np.ndarray
    slope: np.ndarray


class Moved(NamedTuple):
    """How a chunk carries the influences of one stream.

    Attributes:
        decay: dec_0 (state, n).
        slope: w_0 (n,).
        cross: c_0 (state, n).
        A_log_h: Σ_k dec_k ⊙ g_k of A_log (state, n).
        A_log_v: Σ_k c_k ⊙ g_k of A_log (state, n).
        D_v: Σ_k w_k (1-ρ) R_m u_k (n,).
    """

    decay: np.ndarray
    slope: np.ndarray
    cross: np.ndarray
    A_log_h: np.ndarray
    A_log_v: np.ndarray
    D_v: np.ndarray


@jit_views
def transport(flow, A, D, gain, selection, membrane, lanes, drive, moved):
    """Rows of every step's left factor, and dec_0, w_0, c_0 and the keyless sums.

    drive (row, step, n) is written, `lanes` (4, n) is scratch.
    """
    (steps, neurons), states = flow.u.shape, A.shape[0]
    a_h, g_delta, input_t, w_t = lanes[0], lanes[1], lanes[2], lanes[3]
    _begin(moved)
    w, row_v = moved.slope, 3 * states if selection else states
    for t in range(steps - 1, -1, -1):
        before = flow.h[t - 1] if t > 0 else flow.h_0
        u_t, delta_t, gate_t, slope_t = flow.u[t], flow.delta[t], flow.gate[t], flow.slope[t]
        for i in range(neurons):
            input_t[i] = delta_t[i] * u_t[i]
        if membrane:
            _begin_rows_of_v(drive[row_v, t], w_t, w, gain, D, u_t, moved.D_v)
        if membrane and selection:
            drive[row_v + 1, t] = 0.0
        for n in range(states):
            B_n, a, dec_n, c_n = flow.B[t, n], flow.decay[t, n], moved.decay[n], moved.cross[n]
            _through_decay(a_h, a, before[n], A[n])
            _add_to_h(drive[n, t], moved.A_log_h[n], dec_n, B_n, delta_t, a_h)
            if selection:
                _rows_of_h(
                    drive[states + n, t], drive[2 * states + n, t],
                    dec_n, g_delta, a_h, u_t, B_n, gate_t, input_t,
                )  # fmt: skip
            if membrane:
                _add_to_v(
                    drive[row_v, t], moved.A_log_v[n], c_n, w_t, flow.C[t, n], B_n, delta_t, a_h
                )
            if membrane and selection:
                at = row_v + 2 + n
                _rows_of_v(
                    drive[row_v + 1, t], drive[at, t], drive[at + states, t],
                    c_n, w_t, g_delta, input_t, flow.h[t, n],
                )  # fmt: skip
            for i in range(neurons):
                dec_n[i] *= a[i]
                c_n[i] *= a[i]
        for i in range(neurons):
            w[i] *= slope_t[i]


@jit_views
def _begin(moved):
    moved.decay[:] = 1.0
    moved.slope[:] = 1.0
    moved.cross[:] = 0.0
    moved.A_log_h[:] = 0.0
    moved.A_log_v[:] = 0.0
    moved.D_v[:] = 0.0


@jit_inline
def _begin_rows_of_v(row, w_t, w, gain, D, u_t, of_D):
    """w (1-ρ) R_m, W's direct way to V, and D's."""
    for i in range(row.size):
        w_t[i] = gain[i] * w[i]
    for i in range(row.size):
        row[i] = w_t[i] * D[i]
    for i in range(row.size):
        of_D[i] += w_t[i] * u_t[i]


@jit_inline
def _through_decay(a_h, a, x_tm1, A_n):
    """∂h/∂Δ by the decay alone."""
    for i in range(a_h.size):
        a_h[i] = a[i] * x_tm1[i] * A_n[i]


@jit_inline
def _add_to_h(row_W, sum_A_log, dec_n, B_n, delta_t, a_h):
    """dec g of W and of A_log."""
    for i in range(dec_n.size):
        row_W[i] = dec_n[i] * delta_t[i] * B_n
    for i in range(dec_n.size):
        sum_A_log[i] += dec_n[i] * a_h[i] * delta_t[i]


@jit_inline
def _rows_of_h(row_delta, row_B, dec_n, g_delta, a_h, u_t, B_n, gate_t, input_t):
    """dec g of W_Δ and W_B."""
    for i in range(dec_n.size):
        g_delta[i] = (a_h[i] + u_t[i] * B_n) * gate_t[i]
    for i in range(dec_n.size):
        row_delta[i] = dec_n[i] * g_delta[i]
        row_B[i] = dec_n[i] * input_t[i]


@jit_inline
def _add_to_v(row_W, sum_A_log, c_n, w_t, C_n, B_n, delta_t, a_h):
    """c of this step, c·g of W, and c g of A_log."""
    for i in range(c_n.size):
        c_n[i] += w_t[i] * C_n
    for i in range(c_n.size):
        row_W[i] += c_n[i] * delta_t[i] * B_n
        sum_A_log[i] += c_n[i] * a_h[i] * delta_t[i]


@jit_inline
def _rows_of_v(row_delta, row_B, row_C, c_n, w_t, g_delta, input_t, x):
    """c·g of W_Δ, c g of W_B, and w h of W_C."""
    for i in range(c_n.size):
        row_delta[i] += c_n[i] * g_delta[i]
        row_B[i] = c_n[i] * input_t[i]
    for i in range(c_n.size):
        row_C[i] = w_t[i] * x[i]
