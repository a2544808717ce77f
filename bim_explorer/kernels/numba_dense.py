"""The dense step: every column is carried at every step, influence and weights in one pass.

    E ← a E + g p,   y = Σ_n C_n E,   G ← r G + k (y + D p),   w ← w - η (e y + e D p + δV G)

e = ∂L/∂y directly, δV = adjoint of V, k = (1-ρ) R_m: what `numba_event` computes, at a price that
does not depend on the spikes. Each number is read and written once.
"""

from __future__ import annotations

from bim_explorer.kernels.columns import (
    D_V,
    D_Y,
    DELTA,
    ETA,
    G_DELTA,
    GAIN,
    KAPPA,
    READ,
    SLOPE_R,
    THROUGH,
    W_MAX,
    WORK,
    A,
    B,
    C,
    D,
    H,
    U,
)
from bim_explorer.kernels.numba_neurons import dot, dot_scaled, forward, jit, judge, learn_own


@jit
def run(block, readout, spikes, target, labels, mask, keep, losses):
    """Learn from steps in a row; arguments as in `numba_event.run`."""
    for t in range(len(keep)):
        _arrive(block, spikes[t], keep[t])
        forward(block, keep[t])
        asked = labels[t] if len(labels) else readout.logits[:0]
        losses[t] = judge(block, readout, target[t], asked, mask[t])
        _sweep(block)
        learn_own(block, mask[t])


@jit
def _arrive(block, spikes, keep):
    """Potentials of now, and the currents: those of before decayed, and the spikes' weights."""
    inputs, decay = len(spikes), block.const[KAPPA] * keep
    states = block.select.shape[1]
    carried, carried_small = block.cols[inputs + 1], block.small[inputs + 1]
    for row in (5 * states + 2, 5 * states + 3):
        carried[row] *= decay
    carried_small *= decay
    for j in range(inputs):
        block.psp[j] *= decay
        if spikes[j]:
            block.psp[j] += 1
            for row in (5 * states + 2, 5 * states + 3):
                carried[row] += block.cols[j, row]
            carried_small += block.small[j]


@jit
def _sweep(block):
    """Carry all columns and the biases over this step, and add up the next one's currents."""
    states, unit = block.select.shape[1], block.unit
    delta, u, work = unit[DELTA], unit[U], unit[WORK]
    carried, carried_small = block.cols[-1], block.small[-1]
    w_sum, delta_sum = carried[5 * states + 2], carried[5 * states + 3]
    w_sum[:] = 0
    delta_sum[:] = 0
    carried_small[:] = 0
    for i in range(len(u)):
        work[i] = delta[i] * u[i]
    for n in range(states):
        block.select[READ, n] = dot(unit[D_Y], block.channel[H * states + n])
    for j in range(len(block.psp) - 1):
        p, col, small = block.psp[j], block.cols[j], block.small[j]
        _through_current(block, col, p)
        _through_decay(block, col, p)
        _through_state(block, col, small, p)
        if j < len(block.psp) - 2:
            w, w_delta = col[5 * states + 2], col[5 * states + 3]
            _bound(w, block.const[W_MAX])
            for i in range(len(w)):
                w_sum[i] += p * w[i]
            for i in range(len(w)):
                delta_sum[i] += p * w_delta[i]
            carried_small += p * small


@jit
def _through_current(block, col, p):
    """E, G and weights of W."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states, gain, eta = select.shape[1], const[GAIN], const[ETA]
    delta, slope, d_y, d_v, d = unit[DELTA], unit[SLOPE_R], unit[D_Y], unit[D_V], unit[D]
    row, y = 5 * states, unit[THROUGH]
    g, w = col[row], col[row + 2]
    for i in range(len(y)):
        y[i] = d[i] * p
    for n in range(states):
        a, e, c, drive = channel[A * states + n], col[n], select[C, n], select[B, n] * p
        for i in range(len(y)):
            e[i] = a[i] * e[i] + drive * delta[i]
            y[i] += c * e[i]
    for i in range(len(y)):
        g[i] = slope[i] * g[i] + gain * y[i]
        w[i] -= eta * (d_y[i] * y[i] + d_v[i] * g[i])


@jit
def _through_decay(block, col, p):
    """E, G and weights of W_Δ."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states, gain, eta = select.shape[1], const[GAIN], const[ETA]
    slope, d_y, d_v, y = unit[SLOPE_R], unit[D_Y], unit[D_V], unit[THROUGH]
    g, w = col[5 * states + 1], col[5 * states + 3]
    y[:] = 0
    for n in range(states):
        a, e, c = channel[A * states + n], col[states + n], select[C, n]
        drive = channel[G_DELTA * states + n]
        for i in range(len(y)):
            e[i] = a[i] * e[i] + p * drive[i]
            y[i] += c * e[i]
    for i in range(len(y)):
        g[i] = slope[i] * g[i] + gain * y[i]
        w[i] -= eta * (d_y[i] * y[i] + d_v[i] * g[i])


@jit
def _through_state(block, col, small, p):
    """E, G and weights of W_B and W_C."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states, gain, eta = select.shape[1], const[GAIN], const[ETA]
    slope, d_y, d_v, work = unit[SLOPE_R], unit[D_Y], unit[D_V], unit[WORK]
    for n in range(states):
        a, e, g, c = channel[A * states + n], col[2 * states + n], col[3 * states + n], select[C, n]
        h, g_c, through_y = channel[H * states + n], col[4 * states + n], gain * c
        for i in range(len(e)):
            e[i] = a[i] * e[i] + p * work[i]
            g[i] = slope[i] * g[i] + through_y * e[i]
        for i in range(len(e)):
            g_c[i] = slope[i] * g_c[i] + gain * p * h[i]
        small[n] -= eta * dot_scaled(c, d_y, e, d_v, g)
        small[states + n] -= eta * (p * select[READ, n] + dot(d_v, g_c))


@jit
def _bound(w, w_max):
    """|w| ≤ w_max."""
    for i in range(len(w)):
        w[i] = min(max(w[i], -w_max), w_max)
