"""What a chunk adds to the influences of one stream, state by state, each from the chunk's end.

`transport` writes dec ⊙ g and c·g of `functional.rtrl` for every step: the left factors that meet
the potentials (`numba_gains`). One state's are used up before the next one's are written over
them, so they never leave a core's second cache.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread
from bim_explorer.kernels.numba_math import jit_inline, jit_views

#: Rows of one state's left factors, by family of `functional.rtrl.Rows`; of the first three those
#: on h, then those on V. The last two are sums over all states.
H_W, H_DELTA, H_B, V_B, V_C, V_W, V_DELTA = range(7)
ROWS = V_DELTA + 1


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
        to_v: w_k (1-ρ) R_m (step, n).
    """

    decay: np.ndarray
    slope: np.ndarray
    cross: np.ndarray
    A_log_h: np.ndarray
    A_log_v: np.ndarray
    D_v: np.ndarray
    to_v: np.ndarray


@jit_views
def begin(flow, D, gain, membrane, drive, moved):
    """w of every step and w_0, and what reaches V past the states: by W through D."""
    w, of_D = moved.slope, moved.D_v
    w[:] = 1.0
    of_D[:] = 0.0
    drive[V_W] = 0.0
    drive[V_DELTA] = 0.0
    for t in range(len(flow.u) - 1, -1, -1):
        to_v, row, u_t, slope_t = moved.to_v[t], drive[V_W, t], flow.u[t], flow.slope[t]
        if membrane:
            for i in range(w.size):
                to_v[i] = gain[i] * w[i]
            for i in range(w.size):
                row[i] = to_v[i] * D[i]
            for i in range(w.size):
                of_D[i] += to_v[i] * u_t[i]
        for i in range(w.size):
            w[i] *= slope_t[i]


@jit_views
def transport(flow, n, A_n, selection, membrane, drive, moved):
    """Rows of every step's left factor of state n, and its dec_0, c_0 and sums without a key."""
    neurons = A_n.size
    rest = neurons % lanes(A_n)
    moved.decay[n] = 1.0
    moved.cross[n] = 0.0
    moved.A_log_h[n] = 0.0
    moved.A_log_v[n] = 0.0
    for t in range(len(flow.u) - 1, -1, -1):
        for i in range(0, neurons - rest, lanes(A_n)):
            _step(flow, n, t, A_n, selection, membrane, drive, moved, i, full(A_n))
        if rest:
            last = neurons - rest
            _step(flow, n, t, A_n, selection, membrane, drive, moved, last, first(A_n, rest))


@jit_inline
def _step(flow, n, t, A_n, selection, membrane, drive, moved, i, some):
    before = flow.h[t - 1, n] if t > 0 else flow.h_0[n]
    dec_n, c_n = moved.decay[n], moved.cross[n]
    a, dec = load(flow.decay[t, n], i, some), load(dec_n, i, some)
    u, delta, B = load(flow.u[t], i, some), load(flow.delta[t], i, some), spread(flow.B[t, n])
    a_h = a * load(before, i, some) * load(A_n, i, some)  # ∂h/∂Δ by the decay alone
    g_W, g_B, g_A_log = delta * B, delta * u, a_h * delta
    g_delta = (a_h + u * B) * load(flow.gate[t], i, some)
    put(drive[H_W, t], i, some, dec * g_W)
    if selection:
        of_h = moved.A_log_h[n]
        put(of_h, i, some, load(of_h, i, some) + dec * g_A_log)
        put(drive[H_DELTA, t], i, some, dec * g_delta)
        put(drive[H_B, t], i, some, dec * g_B)
    if membrane:
        to_v, v_W = load(moved.to_v[t], i, some), drive[V_W, t]
        c = load(c_n, i, some) + to_v * spread(flow.C[t, n])
        put(v_W, i, some, load(v_W, i, some) + c * g_W)
        put(c_n, i, some, c * a)
        if selection:
            of_v, v_delta = moved.A_log_v[n], drive[V_DELTA, t]
            put(of_v, i, some, load(of_v, i, some) + c * g_A_log)
            put(v_delta, i, some, load(v_delta, i, some) + c * g_delta)
            put(drive[V_B, t], i, some, c * g_B)
            put(drive[V_C, t], i, some, to_v * load(flow.h[t, n], i, some))
    put(dec_n, i, some, dec * a)
