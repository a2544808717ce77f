"""The way back through a block, stream by stream: soma, dendrite, and the influences they meet.

The equations are those of `functional.adjoint` and `rtrl`. What the spikes' weights gain comes
from `numba_gains`, and so do the influences (`numba_influence`): both ask which input spiked when,
so a stream's spikes are gathered once.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.kernels.numba_gains import beside, collect, filter_back, gather, room
from bim_explorer.kernels.numba_influence import Border, advance, moved_room, synapses_apart
from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread, total
from bim_explorer.kernels.numba_math import fetch, jit, jit_inline, jit_views, turn
from bim_explorer.kernels.numba_transport import ROWS, Flow

#: Steps that are asked for ahead of their turn.
AHEAD = 4


@jit
def adjoint(
    first_stream, last_stream, part, decay, h, h_0, u, delta, gate, B, C, A, D,
    spikes, before, keep, psp_decay, psp_scale, psi, slope, gain, d_y, d_z, spiking,
    below, back, of_weights, of_A_log, of_D,
    carried, keyed, sparse, place, E_A_log, G_A_log, G_D, selection, membrane, dense,
):  # fmt: skip
    """Reverse mode of some streams, added to the sums of this part, which begin at 0.

    `d_z` is not looked at unless `spiking`. `of_weights` is (part, key, 2n + 2s), the last key
    being the bias; `of_A_log` (part, s, n). If `below`, `back` (b, t, 2n + 2s) takes what the
    weights still have to bring to the spikes. If `carried`, the influences are read for the
    gradient and moved to the chunk's end; those of W are of the synapses at `place`, if not
    `dense`.
    """
    (steps, neurons), width = u.shape[1:], of_weights.shape[2]
    gains = room(ROWS if carried else 0, spikes.shape[2], steps, neurons, D.dtype)
    own, moved = beside(gains, 1, width), moved_room(A, steps)
    reaches, drive = np.empty((steps, neurons), D.dtype), np.empty_like(D)
    # of_A is the chunk's part of δA_log before the factor A, which the influences' part has in it
    d_v, d_h, of_A = np.empty_like(D), np.empty_like(A), np.zeros_like(A)
    sums, apart = of_weights[part], synapses_apart(dense, place, spikes.shape[2], neurons)
    for b in range(first_stream, last_stream):
        flow = Flow(decay[b], h[b], h_0[b], u[b], delta[b], gate[b], B[b], C[b], slope[b])
        psp = (keep[b], psp_decay, psp_scale, len(before))
        _through_soma(psi[b], slope[b], gain, d_y[b], d_z[b], spiking, reaches, d_v)
        _through_steps(flow, reaches, A, D, drive, own.drive[0], of_A, of_D[part], d_h)
        gather(gains, spikes[b], before[:, b])
        _through_weights(own, psp, sums)
        if below:
            back[b] = own.drive[0, :steps]
        if carried:
            border = Border(True, d_h, d_v, sums, of_A_log[part], of_D[part])
            tile = (keyed[b], sparse[b], E_A_log[b], G_A_log[b], G_D[b])
            advance(tile, gains, flow, moved, A, D, gain, psp, selection, membrane, apart, border)
    for n in range(len(A)):
        for i in range(D.size):
            of_A_log[part, n, i] += of_A[n, i] * A[n, i]


@jit
def carry(
    first_stream, last_stream, part, decay, h, h_0, u, delta, gate, B, C, A, D,
    spikes, before, keep, psp_decay, psp_scale, slope, gain,
    keyed, sparse, place, E_A_log, G_A_log, G_D, selection, membrane, dense,
):  # fmt: skip
    """Influences of some streams moved to the chunk's end, where no loss asks for them."""
    (steps, neurons), order = u.shape[1:], len(before)
    apart = synapses_apart(dense, place, spikes.shape[2], neurons)
    gains, moved = room(ROWS, spikes.shape[2], steps, neurons, D.dtype), moved_room(A, steps)
    nothing = np.empty((0, 0), D.dtype)
    border = Border(False, A, D, nothing, A, D)  # nobody reads: neither looked at nor written
    for b in range(first_stream, last_stream):
        flow = Flow(decay[b], h[b], h_0[b], u[b], delta[b], gate[b], B[b], C[b], slope[b])
        psp = (keep[b], psp_decay, psp_scale, order)
        tile = (keyed[b], sparse[b], E_A_log[b], G_A_log[b], G_D[b])
        gather(gains, spikes[b], before[:, b])
        advance(tile, gains, flow, moved, A, D, gain, psp, selection, membrane, apart, border)


@jit_views
def hand_back(sums, of_A_log, rows, turned):
    """Sums over all parts, turned to lie as the parameters do."""
    turn(of_A_log, turned, 0)
    turn(sums[:-1], rows, 0)


@jit_views
def _through_soma(psi, slope, gain, d_y, d_z, spiking, reaches, behind):
    """λ_t = ψ_t δz_t + slope_{t+1} λ_{t+1}: what reaches y, δy + g λ, and V before, slope_1 λ_1."""
    for i in range(behind.size):
        behind[i] = 0.0
    for t in range(len(psi) - 1, -1, -1):
        psi_t, slope_t, d_y_t, d_z_t, at = psi[t], slope[t], d_y[t], d_z[t], reaches[t]
        for rows in (psi, slope, d_y, d_z):
            fetch(rows[max(t - AHEAD, 0)])
        if spiking:
            for i in range(behind.size):
                behind[i] += psi_t[i] * d_z_t[i]
        for i in range(behind.size):
            at[i] = d_y_t[i] + gain[i] * behind[i]
        for i in range(behind.size):
            behind[i] *= slope_t[i]


@jit_views
def _through_steps(flow, reaches, A, D, drive, selected, sum_A, sum_D, back):
    """All steps of a stream's dendrites, from the last one on."""
    for n in range(len(A)):
        for i in range(D.size):
            back[n, i] = 0.0
    for t in range(len(reaches) - 1, -1, -1):
        _through_dendrite(flow, t, reaches[t], A, D, drive, selected[t], sum_A, sum_D, back)


@jit_views
def _through_dendrite(flow, t, d_y_t, A, D, drive, selected, sum_A, sum_D, back):
    """One step: δ of u, W_Δ p + b_Δ, B and C to `selected`, δh to `back`; drive is scratch (n,)."""
    neurons, states = D.size, A.shape[0]
    before = flow.h[t - 1] if t > 0 else flow.h_0
    u_t, delta_t, gate_t = flow.u[t], flow.delta[t], flow.gate[t]
    for rows in (flow.u, flow.delta, flow.gate):
        fetch(rows[max(t - 1, 0)])
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
            fetch(flow.decay[t - 1, n])
            fetch(flow.h[t - 2, n] if t > 1 else flow.h_0[n])
        d_B_t[n], d_C_t[n] = _through_state(
            d_y_t, flow.h[t, n], before[n], flow.decay[t, n], drive, delta_t, A[n],
            flow.B[t, n], flow.C[t, n], back[n], d_u_t, d_delta_t, sum_A[n],
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
def _through_weights(gains, psp, sums):
    """What the spikes' weights gain from δ of the selection, which goes back through the filter."""
    filter_back(gains.drive, *psp)
    for j in range(len(sums)):
        collect(sums[j], gains, 0, j)
