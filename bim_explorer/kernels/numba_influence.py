"""The influences over a chunk: what moves them, then one pass that moves and reads them.

The equations are those of `functional.rtrl`. Influences are by far the largest arrays: a span of
keys is scaled, crossed, read for the border's gradient and added to while it is in the cache.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.kernels.numba_math import jit, jit_inline

#: Keys of a span: all rows of it, for 128 neurons and 8 states, fill a core's cache.
SPAN = 32


@jit
def transport(
    first, last, decay, h, h_0, u, delta, gate, B, C, A, D, w_gain, selection, membrane,
    drive, dec, c, A_log_h, A_log_v, D_v,
):  # fmt: skip
    """Rows of every step's left factor, and dec_0, c_0 and the keyless sums."""
    steps, neurons, states = u.shape[1], u.shape[2], A.shape[0]
    flow, g_delta = np.empty(neurons, u.dtype), np.empty(neurons, u.dtype)
    row_v = 3 * states if selection else states
    for b in range(first, last):
        dec[b] = 1.0
        c[b] = 0.0
        for t in range(steps - 1, -1, -1):
            before = h[b, t - 1] if t > 0 else h_0[b]
            u_t, delta_t, gate_t, w_t = u[b, t], delta[b, t], gate[b, t], w_gain[b, t]
            if membrane:
                _begin_rows_of_v(drive[b, row_v, t], w_t, D, u_t, D_v[b])
            if membrane and selection:
                drive[b, row_v + 1, t] = 0.0
            for n in range(states):
                B_n, a, dec_n, c_n = B[b, t, n], decay[b, t, n], dec[b, n], c[b, n]
                for i in range(neurons):
                    flow[i] = a[i] * before[n, i] * A[n, i]
                _add_to_h(drive[b, n, t], A_log_h[b, n], dec_n, B_n, delta_t, flow)
                if selection:
                    for i in range(neurons):
                        g_delta[i] = (flow[i] + u_t[i] * B_n) * gate_t[i]
                    row_delta, row_B = drive[b, states + n, t], drive[b, 2 * states + n, t]
                    _rows_of_h(row_delta, row_B, dec_n, g_delta, delta_t, u_t)
                if membrane:
                    row, C_n = drive[b, row_v, t], C[b, t, n]
                    _add_to_v(row, A_log_v[b, n], c_n, w_t, C_n, B_n, delta_t, flow)
                if membrane and selection:
                    at = row_v + 2 + n
                    v_delta, v_B = drive[b, row_v + 1, t], drive[b, at, t]
                    v_C, x = drive[b, at + states, t], h[b, t, n]
                    _rows_of_v(v_delta, v_B, v_C, c_n, w_t, g_delta, delta_t, u_t, x)
                _decay_both(dec_n, c_n, a)


@jit_inline
def _begin_rows_of_v(row, w_t, D, u_t, of_D):
    """w D, W's direct way to V, and D's."""
    for i in range(row.size):
        row[i] = w_t[i] * D[i]
    for i in range(row.size):
        of_D[i] += w_t[i] * u_t[i]


@jit_inline
def _add_to_h(row_W, sum_A_log, dec_n, B_n, delta_t, flow):
    """dec g of W and of A_log."""
    for i in range(dec_n.size):
        row_W[i] = dec_n[i] * delta_t[i] * B_n
    for i in range(dec_n.size):
        sum_A_log[i] += dec_n[i] * flow[i] * delta_t[i]


@jit_inline
def _rows_of_h(row_delta, row_B, dec_n, g_delta, delta_t, u_t):
    """dec g of W_Δ and W_B."""
    for i in range(row_delta.size):
        row_delta[i] = dec_n[i] * g_delta[i]
    for i in range(row_B.size):
        row_B[i] = dec_n[i] * delta_t[i] * u_t[i]


@jit_inline
def _add_to_v(row_W, sum_A_log, c_n, w_t, C_n, B_n, delta_t, flow):
    """c of this step, c·g of W, and c g of A_log."""
    for i in range(c_n.size):
        c_n[i] += w_t[i] * C_n
    for i in range(c_n.size):
        row_W[i] += c_n[i] * delta_t[i] * B_n
    for i in range(c_n.size):
        sum_A_log[i] += c_n[i] * flow[i] * delta_t[i]


@jit_inline
def _rows_of_v(row_delta, row_B, row_C, c_n, w_t, g_delta, delta_t, u_t, x):
    """c·g of W_Δ, c g of W_B, and w h of W_C."""
    for i in range(c_n.size):
        row_delta[i] += c_n[i] * g_delta[i]
    for i in range(c_n.size):
        row_B[i] = c_n[i] * delta_t[i] * u_t[i]
    for i in range(c_n.size):
        row_C[i] = w_t[i] * x[i]


@jit_inline
def _decay_both(dec_n, c_n, a):
    for i in range(a.size):
        dec_n[i] *= a[i]
    for i in range(a.size):
        c_n[i] *= a[i]


@jit
def advance(
    first, last, part, keyed, drive, key, dec, w_0, c_0, selection, membrane,
    read, d_h0, d_v0, of_W, of_delta, of_B, of_C,
):  # fmt: skip
    """Carry E and G along, and read δh_0·E_0 + δV_0·G_0 before if `read`."""
    keys, states = keyed.shape[2], dec.shape[1]
    row_v = 3 * states if selection else states
    for b in range(first, last):
        tile = keyed[b]
        for start in range(0, keys, SPAN):
            end = min(start + SPAN, keys)
            if read:
                _read_own(tile, 0, row_v, d_h0[b], d_v0[b], membrane, start, end, of_W[part])
            if read and selection:
                at, of = row_v + 1, of_delta[part]
                _read_own(tile, states, at, d_h0[b], d_v0[b], membrane, start, end, of)
                _read_shared(
                    tile, row_v, d_h0[b], d_v0[b], membrane, start, end, of_B[part], of_C[part]
                )
            if membrane:
                _cross_own(tile, 0, row_v, w_0[b], c_0[b], start, end)
            if membrane and selection:
                _cross_own(tile, states, row_v + 1, w_0[b], c_0[b], start, end)
                _cross_shared(tile, row_v, w_0[b], c_0[b], start, end)
            for family in range(3 if selection else 1):
                _decay(tile, family * states, dec[b], start, end)
            _add_product(tile, drive[b], key[b], start, end)


@jit
def _read_own(tile, row_h, row_v, d_h0, d_v0, membrane, start, end, total):
    """Of W or W_Δ: Σ_n δh_n E_n + δV G, for each key and neuron."""
    states, neurons = d_h0.shape
    for j in range(start, end):
        of = total[j]
        for n in range(states):
            h, d = tile[row_h + n, j], d_h0[n]
            for i in range(neurons):
                of[i] += d[i] * h[i]
        if membrane:
            v = tile[row_v, j]
            for i in range(neurons):
                of[i] += d_v0[i] * v[i]


@jit
def _read_shared(tile, row_v, d_h0, d_v0, membrane, start, end, of_B, of_C):
    """Of W_B and W_C: sums over the neurons, which share these parameters."""
    states, neurons = d_h0.shape
    for n in range(states):
        d = d_h0[n]
        for j in range(start, end):
            h = tile[2 * states + n, j]
            total = d_v0.dtype.type(0.0)
            for i in range(neurons):
                total += d[i] * h[i]
            of_B[n, j] += total
            if membrane:
                v_B, v_C = tile[row_v + 2 + n, j], tile[row_v + 2 + states + n, j]
                total, total_C = d_v0.dtype.type(0.0), d_v0.dtype.type(0.0)
                for i in range(neurons):
                    total += d_v0[i] * v_B[i]
                for i in range(neurons):
                    total_C += d_v0[i] * v_C[i]
                of_B[n, j] += total
                of_C[n, j] += total_C


@jit
def _cross_own(tile, row_h, row_v, w_0, c_0, start, end):
    """G = w_0 G + c_0·E of W or W_Δ, while E is still that of the chunk's start."""
    states, neurons = c_0.shape
    for j in range(start, end):
        v = tile[row_v, j]
        for i in range(neurons):
            v[i] *= w_0[i]
        for n in range(states):
            h, c = tile[row_h + n, j], c_0[n]
            for i in range(neurons):
                v[i] += c[i] * h[i]


@jit
def _cross_shared(tile, row_v, w_0, c_0, start, end):
    """G = w_0 G + c_0 E of W_B, and G = w_0 G of W_C."""
    states, neurons = c_0.shape
    for n in range(states):
        c = c_0[n]
        for j in range(start, end):
            h = tile[2 * states + n, j]
            v, v_C = tile[row_v + 2 + n, j], tile[row_v + 2 + states + n, j]
            for i in range(neurons):
                v[i] = w_0[i] * v[i] + c[i] * h[i]
            for i in range(neurons):
                v_C[i] *= w_0[i]


@jit
def _decay(tile, row, dec, start, end):
    """E = dec_0 E of one family."""
    states, neurons = dec.shape
    for n in range(states):
        d = dec[n]
        for j in range(start, end):
            h = tile[row + n, j]
            for i in range(neurons):
                h[i] *= d[i]


@jit
def _add_product(tile, left, key, start, end):
    """tile[r, j] += Σ_k left[r, k] key[k, j]: four keys and four steps share their registers."""
    n_rows, steps, neurons = left.shape
    whole, fours = steps - steps % 4, end - (end - start) % 4
    for r in range(n_rows):
        rows = left[r]
        for j in range(start, fours, 4):
            x0, x1, x2, x3 = tile[r, j], tile[r, j + 1], tile[r, j + 2], tile[r, j + 3]
            for k in range(0, whole, 4):
                l0, l1, l2, l3 = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
                p0, p1, p2, p3 = key[k], key[k + 1], key[k + 2], key[k + 3]
                a0, a1, a2, a3 = p0[j], p1[j], p2[j], p3[j]
                b0, b1, b2, b3 = p0[j + 1], p1[j + 1], p2[j + 1], p3[j + 1]
                c0, c1, c2, c3 = p0[j + 2], p1[j + 2], p2[j + 2], p3[j + 2]
                d0, d1, d2, d3 = p0[j + 3], p1[j + 3], p2[j + 3], p3[j + 3]
                for i in range(neurons):
                    p, q, s, t = l0[i], l1[i], l2[i], l3[i]
                    x0[i] += a0 * p + a1 * q + a2 * s + a3 * t
                    x1[i] += b0 * p + b1 * q + b2 * s + b3 * t
                    x2[i] += c0 * p + c1 * q + c2 * s + c3 * t
                    x3[i] += d0 * p + d1 * q + d2 * s + d3 * t
            for k in range(whole, steps):
                for at in range(j, j + 4):
                    _add_scaled(tile[r, at], key[k, at], rows[k])
        for j in range(fours, end):
            for k in range(steps):
                _add_scaled(tile[r, j], key[k, j], rows[k])


@jit_inline
def _add_scaled(x, scale, y):
    for i in range(x.size):
        x[i] += scale * y[i]
