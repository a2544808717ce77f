"""Triton's programs behind `triton_kernels`: program (b, tile) walks one stream through its chunk.

Names as in `functional`; `i` are the tile's neurons (or channels), `n` the states, both masked
where a tile is larger than what there is. (b, t, channel) lies at (b T + t) N + i, and
(b, t, state, neuron) at ((b T + t) S + n) N + i.
"""

# pyright: reportMissingImports=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportPossiblyUnboundVariable=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def trace(spikes, keep, initial, x, decay, T, N, TILE: tl.constexpr):
    """x_t = decay keep_t x_{t-1} + s_t."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    inside = i < N
    now = tl.load(initial + b * N + i, inside, 0.0)
    for t in range(T):
        at = (b * T + t) * N + i
        now = now * decay * tl.load(keep + b * T + t) + tl.load(spikes + at, inside, 0.0)
        tl.store(x + at, now, inside)


@triton.jit
def trace_adjoint(d_trace, keep, d_spikes, decay, T, N, TILE: tl.constexpr):
    """∂L/∂s_t = ∂L/∂x_t + decay keep_{t+1} ∂L/∂s_{t+1}."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    inside = i < N
    behind = tl.load(d_trace + b * T * N + i, inside, 0.0) * 0.0
    for back in range(T):
        t = T - 1 - back
        at = (b * T + t) * N + i
        now = tl.load(d_trace + at, inside, 0.0) + behind
        tl.store(d_spikes + at, now, inside)
        behind = now * decay * tl.load(keep + b * T + t)


@triton.jit
def membrane(y, keep, v_0, v, decay, gain, v_th, T, N, TILE: tl.constexpr):
    """V with its reset (BIM eq. 3)."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    inside = i < N
    now = tl.load(v_0 + b * N + i, inside, 0.0)
    for t in range(T):
        at = (b * T + t) * N + i
        left = now * decay - tl.where(now > v_th, v_th, 0.0)
        now = left * tl.load(keep + b * T + t) + tl.load(y + at, inside, 0.0) * gain
        now = now.to(y.dtype.element_ty)
        tl.store(v + at, now, inside)


@triton.jit
def scan_adjoint(decay, source, adjoint, start, T, N, TILE: tl.constexpr):
    """λ_t = source_t + decay_{t+1} λ_{t+1}."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    inside = i < N
    behind = tl.load(source + b * T * N + i, inside, 0.0) * 0.0
    for back in range(T):
        at = (b * T + T - 1 - back) * N + i
        now = tl.load(source + at, inside, 0.0) + behind
        tl.store(adjoint + at, now, inside)
        behind = now * tl.load(decay + at, inside, 0.0)
    tl.store(start + b * N + i, behind, inside)


@triton.jit
def decay_to_end(decay, products, start, T, N, TILE: tl.constexpr):
    """Π_{m>k} decay_m."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    inside = i < N
    product = tl.load(decay + b * T * N + i, inside, 0.0) * 0.0 + 1.0
    for back in range(T):
        at = (b * T + T - 1 - back) * N + i
        tl.store(products + at, product, inside)
        product = product * tl.load(decay + at, inside, 0.0)
    tl.store(start + b * N + i, product, inside)


@triton.jit
def forward(
    u, delta, B, C, A, D, keep, h_0, decay, h, y, T, N, S,
    LANES: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """a, h and y (BIM eqs. 1-2)."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    n = tl.arange(0, LANES)
    inside = i < N
    whole = (n[:, None] < S) & inside[None, :]
    place = n[:, None] * N + i[None, :]
    A_n = tl.load(A + place, whole, 0.0)
    D_i = tl.load(D + i, inside, 0.0)
    x = tl.load(h_0 + b * S * N + place, whole, 0.0)
    for t in range(T):
        row = b * T + t
        u_t = tl.load(u + row * N + i, inside, 0.0)
        delta_t = tl.load(delta + row * N + i, inside, 0.0)
        B_t = tl.load(B + row * S + n, n < S, 0.0)
        C_t = tl.load(C + row * S + n, n < S, 0.0)
        a = tl.exp(delta_t[None, :] * A_n) * tl.load(keep + row)
        x = a * x + B_t[:, None] * (delta_t * u_t)[None, :]
        tl.store(decay + row * S * N + place, a, whole)
        tl.store(h + row * S * N + place, x, whole)
        tl.store(y + row * N + i, tl.sum(C_t[:, None] * x, 0) + D_i * u_t, inside)


@triton.jit
def adjoint(
    d_y, decay, h, h_0, u, delta, B, C, A, D, d_u, d_delta, d_B, d_C, d_A, d_D, d_h0, T, N, S,
    LANES: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Reverse mode of `forward`; d_B and d_C for this tile, d_A (∂L/∂A) and d_D for this stream."""
    b, tile = tl.program_id(0), tl.program_id(1)
    i, n = tile * TILE + tl.arange(0, TILE), tl.arange(0, LANES)
    inside = i < N
    whole = (n[:, None] < S) & inside[None, :]
    place = n[:, None] * N + i[None, :]
    A_n = tl.load(A + place, whole, 0.0)
    D_i = tl.load(D + i, inside, 0.0)
    back, of_A, of_D = A_n * 0.0, A_n * 0.0, D_i * 0.0
    for step in range(T):
        t = T - 1 - step
        row = b * T + t
        d_y_t = tl.load(d_y + row * N + i, inside, 0.0)
        u_t = tl.load(u + row * N + i, inside, 0.0)
        delta_t = tl.load(delta + row * N + i, inside, 0.0)
        B_t = tl.load(B + row * S + n, n < S, 0.0)
        C_t = tl.load(C + row * S + n, n < S, 0.0)
        x = tl.load(h + row * S * N + place, whole, 0.0)
        a = tl.load(decay + row * S * N + place, whole, 0.0)
        x_tm1 = _before(h, h_0, b, t, T, N, S, n, place, whole)
        back += C_t[:, None] * d_y_t[None, :]
        d_drive = tl.sum(back * B_t[:, None], 0)
        part = (tile * tl.num_programs(0) * T + row) * S + n
        tl.store(d_B + part, tl.sum(back * (delta_t * u_t)[None, :], 1), n < S)
        tl.store(d_C + part, tl.sum(x * d_y_t[None, :], 1), n < S)
        back = back * a
        flow = back * x_tm1
        of_A += flow * delta_t[None, :]
        of_D += u_t * d_y_t
        tl.store(d_u + row * N + i, D_i * d_y_t + delta_t * d_drive, inside)
        tl.store(d_delta + row * N + i, tl.sum(flow * A_n, 0) + u_t * d_drive, inside)
    tl.store(d_A + b * S * N + place, of_A, whole)
    tl.store(d_D + b * N + i, of_D, inside)
    tl.store(d_h0 + b * S * N + place, back, whole)


@triton.jit
def _before(h, h_0, b, t, T, N, S, n, place, whole):
    """h one step before step t of stream b."""
    later = n[:, None] + t > n[:, None]
    earlier = tl.load(h + (b * T + t - 1) * S * N + place, whole & later, 0.0)
    return earlier + tl.load(h_0 + b * S * N + place, whole & ~later, 0.0)


@triton.jit
def _wide(u, delta, gate, w_gain, at, inside):
    """A step's numbers of every neuron, as rows (1, i)."""
    u_t, delta_t = tl.load(u + at, inside, 0.0), tl.load(delta + at, inside, 0.0)
    gate_t, w_t = tl.load(gate + at, inside, 0.0), tl.load(w_gain + at, inside, 0.0)
    return u_t[None, :], delta_t[None, :], gate_t[None, :], w_t[None, :]


@triton.jit
def _states(h, decay, at, whole):
    return tl.load(h + at, whole, 0.0), tl.load(decay + at, whole, 0.0)


@triton.jit
def _narrow(B, C, at, inside):
    """A step's numbers of every state, as columns (n, 1)."""
    return tl.load(B + at, inside, 0.0)[:, None], tl.load(C + at, inside, 0.0)[:, None]


@triton.jit
def _store_two(to, one, to_other, other, whole):
    tl.store(to, one, whole)
    tl.store(to_other, other, whole)


@triton.jit
def transport(
    decay, h, h_0, u, delta, gate, B, C, A, D, w_gain, drive, dec_0, c_0, A_log_h, A_log_v, D_v,
    T, N, S, R, SELECTION: tl.constexpr, MEMBRANE: tl.constexpr,
    LANES: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Rows of every step's left factor (b, row, t, i), dec_0, c_0 and the keyless sums."""
    b, i = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    n, inside = tl.arange(0, LANES), i < N
    whole = (n[:, None] < S) & inside[None, :]
    place = n[:, None] * N + i[None, :]
    A_n, D_i = tl.load(A + place, whole, 0.0), tl.load(D + i, inside, 0.0)
    dec, c = A_n * 0.0 + 1.0, A_n * 0.0
    of_h, of_v, of_D = c, c, D_i * 0.0
    row_v = S * 3 if SELECTION else S
    for step in range(T):
        t, row = T - 1 - step, b * T + T - 1 - step
        u_t, delta_t, gate_t, w_t = _wide(u, delta, gate, w_gain, row * N + i, inside)
        B_t, C_t = _narrow(B, C, row * S + n, n < S)
        x, a = _states(h, decay, row * S * N + place, whole)
        flow = a * _before(h, h_0, b, t, T, N, S, n, place, whole) * A_n
        g_W, g_delta, g_B = delta_t * B_t, (flow + u_t * B_t) * gate_t, delta_t * u_t
        rows = drive + ((b * R + n[:, None]) * T + t) * N + i[None, :]
        tl.store(rows, dec * g_W, whole)
        of_h += dec * flow * delta_t
        if SELECTION:
            _store_two(rows + S * T * N, dec * g_delta, rows + 2 * S * T * N, dec * g_B, whole)
        if MEMBRANE:
            c += w_t * C_t
            of_v += c * flow * delta_t
            of_D += tl.sum(w_t * u_t, 0)
            v_W = drive + ((b * R + row_v) * T + t) * N + i
            tl.store(v_W, tl.sum(c * g_W, 0) + tl.sum(w_t, 0) * D_i, inside)
        if MEMBRANE and SELECTION:
            tl.store(v_W + T * N, tl.sum(c * g_delta, 0), inside)
            tl.store(rows + (row_v + 2) * T * N, c * g_B, whole)
            tl.store(rows + (row_v + 2 + S) * T * N, w_t * x, whole)
        dec, c = dec * a, c * a
    at = b * S * N + place
    _store_two(dec_0 + at, dec, c_0 + at, c, whole)
    _store_two(A_log_h + at, of_h, A_log_v + at, of_v, whole)
    tl.store(D_v + b * N + i, of_D, inside)
