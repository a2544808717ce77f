"""What a step of one block costs whatever its spikes: neurons, loss, biases, A_log, D.

    forward     Δ, B, C → a = keep exp(Δ A), h, y, V, z          (BIM eqs. 1-3)
    judge       logits → loss → ∂L/∂y, ∂L/∂z, readout moved
    learn_own   influences and parameters that no input has: A_log, D

Loops run over neurons and hold few arrays each, so that the compiler makes vector instructions of
them; see `columns` for the layout. One stream, SGD, an update at every step.
"""

from __future__ import annotations

import math

import numba

from bim_explorer.kernels.columns import (
    A_LOG,
    D_OUT,
    D_V,
    D_Y,
    D_Z,
    DELTA,
    DLOG,
    E_A,
    ETA,
    FOUR,
    G_A,
    G_D,
    G_DELTA,
    GAIN,
    NEG,
    ONE,
    PSI,
    RHO,
    SIGMA,
    SLOPE_R,
    TWENTY,
    V_TH,
    WORK,
    ZERO,
    A,
    B,
    C,
    D,
    H,
    U,
    V,
    Y,
    Z,
)

jit = numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
#: For sums over neurons, which may be taken in any order.
jit_sum = numba.njit(
    cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy"
)


@jit_sum
def dot(a, b):
    """Σ a b."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total += a[i] * b[i]
    return total


@jit_sum
def dot_2(a, b, c, d):
    """Σ a b + c d."""
    total = a[0] * b[0] + c[0] * d[0]
    for i in range(1, len(a)):
        total += a[i] * b[i] + c[i] * d[i]
    return total


@jit_sum
def dot_scaled(scale, a, b, c, d):
    """Σ scale a b + c d."""
    total = scale * a[0] * b[0] + c[0] * d[0]
    for i in range(1, len(a)):
        total += scale * a[i] * b[i] + c[i] * d[i]
    return total


@jit
def forward(block, keep):
    """One step of all neurons, from the currents in the carried column (BIM eqs. 1-3)."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states = select.shape[1]
    _select(block)
    u, delta, y = unit[U], unit[DELTA], unit[Y]
    d = unit[D]
    for i in range(len(y)):
        y[i] = d[i] * u[i]
    for n in range(states):
        h, a, neg = channel[H * states + n], channel[A * states + n], channel[NEG * states + n]
        dlog, g = channel[DLOG * states + n], channel[G_DELTA * states + n]
        b, c, sigma = select[B, n], select[C, n], unit[SIGMA]
        for i in range(len(y)):
            a[i] = keep * math.exp(delta[i] * neg[i])
        for i in range(len(y)):
            h[i] = a[i] * h[i]
        for i in range(len(y)):
            dlog[i] = h[i] * neg[i]
        for i in range(len(y)):
            g[i] = (dlog[i] + u[i] * b) * sigma[i]
        for i in range(len(y)):
            h[i] += delta[i] * u[i] * b
        for i in range(len(y)):
            y[i] += c * h[i]
    _fire(unit, const, keep)


@jit
def _select(block):
    """u, Δ, B, C from the carried column and the biases."""
    unit, select, const = block.unit, block.select, block.const
    states = select.shape[1]
    bias, carried = block.cols[-2], block.cols[-1]
    u, delta, sigma = unit[U], unit[DELTA], unit[SIGMA]
    row = 5 * states + 2
    for i in range(len(u)):
        u[i] = carried[row, i]
    one, twenty = const[ONE], const[TWENTY]
    for i in range(len(u)):
        pre = carried[row + 1, i] + bias[row + 1, i]
        grown = math.exp(-abs(pre))
        delta[i] = pre if pre > twenty else max(pre, pre - pre) + math.log1p(grown)
        sigma[i] = one / (one + grown) if pre > 0 else grown / (one + grown)
    for n in range(states):
        select[B, n] = block.small[-1, n] + block.small[-2, n]
        select[C, n] = block.small[-1, states + n] + block.small[-2, states + n]


@jit
def _fire(unit, const, keep):
    """V, z, the slope keep r and ψ of now."""
    v, z, slope, psi, y = unit[V], unit[Z], unit[SLOPE_R], unit[PSI], unit[Y]
    rho, gain, v_th, one, four = const[RHO], const[GAIN], const[V_TH], const[ONE], const[FOUR]
    for i in range(len(v)):
        before = v[i] - v_th
        steep = one + four * abs(before)
        slope[i] = keep * (rho - v_th / (steep * steep))
        spiked = one if before > 0 else one - one
        v[i] = keep * (rho * v[i] - v_th * spiked) + gain * y[i]
    for i in range(len(v)):
        above = v[i] - v_th
        steep = one + four * abs(above)
        psi[i] = one / (steep * steep)
        z[i] = one if above > 0 else one - one


@jit
def judge(block, readout, target, labels, supervised):
    """The readout's answer, its loss, and what follows from it for y, z and the readout.

    Args:
        block: Columns of the block, after `forward`.
        readout: Its readout.
        target: The class asked for.
        labels: The labels asked for, if any (C,) or (0,).
        supervised: Whether anything is asked for.
    """
    unit = block.unit
    _vote(unit, readout)
    if not supervised:
        for row in (D_Y, D_Z, D_V, D_OUT):
            unit[row][:] = 0
        return block.const[ZERO]
    loss = _label_loss(readout, labels) if len(labels) else _class_loss(readout, target)
    _respond(unit, block.const, readout)
    return loss


@jit
def _vote(unit, readout):
    """Logits of now."""
    y, z = unit[Y], unit[Z]
    for c in range(len(readout.b)):
        readout.logits[c] = readout.b[c]
        if readout.reads[0]:
            readout.logits[c] += dot(readout.W_y[c], y)
        if readout.reads[1]:
            readout.logits[c] += dot(readout.W_z[c], z)


@jit
def _respond(unit, const, readout):
    """∂L/∂y and ∂L/∂z from ∂L/∂logits, the readout moved, and the adjoints of V and of y."""
    y, z, d_y, d_z = unit[Y], unit[Z], unit[D_Y], unit[D_Z]
    eta = const[ETA]
    d_y[:] = 0
    d_z[:] = 0
    for c in range(len(readout.b)):
        d = readout.d_logits[c]
        step = eta * d
        readout.b[c] -= step
        if readout.reads[0]:
            w = readout.W_y[c]
            for i in range(len(y)):
                d_y[i] += d * w[i]
            for i in range(len(y)):
                w[i] -= step * y[i]
        if readout.reads[1]:
            w = readout.W_z[c]
            for i in range(len(y)):
                d_z[i] += d * w[i]
            for i in range(len(y)):
                w[i] -= step * z[i]
    d_v, out, psi, gain = unit[D_V], unit[D_OUT], unit[PSI], const[GAIN]
    for i in range(len(y)):
        d_v[i] = psi[i] * d_z[i]
    for i in range(len(y)):
        out[i] = d_y[i] + gain * d_v[i]


@jit
def learn_own(block, supervised):
    """A_log and D: influences advanced, parameters moved where there was a loss."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states, neurons = select.shape[1], unit.shape[1]
    delta, slope, gain, eta = unit[DELTA], unit[SLOPE_R], const[GAIN], const[ETA]
    d_y, d_v, u, d, g_d = unit[D_Y], unit[D_V], unit[U], unit[D], unit[G_D]
    for i in range(neurons):
        g_d[i] = slope[i] * g_d[i] + gain * u[i]
    if supervised:
        for i in range(neurons):
            d[i] -= eta * (d_v[i] * g_d[i] + d_y[i] * u[i])
    for n in range(states):
        a, dlog = channel[A * states + n], channel[DLOG * states + n]
        e, g, c = channel[E_A * states + n], channel[G_A * states + n], select[C, n]
        through_y = gain * c
        for i in range(neurons):
            e[i] = a[i] * e[i] + dlog[i] * delta[i]
        for i in range(neurons):
            g[i] = slope[i] * g[i] + through_y * e[i]
        if supervised:
            _move_decay(channel[A_LOG * states + n], channel[NEG * states + n], unit, e, g, c, eta)


@jit
def _move_decay(a_log, neg, unit, e, g, c, eta):
    d_y, d_v, step = unit[D_Y], unit[D_V], unit[WORK]
    for i in range(len(e)):
        step[i] = d_y[i] * c * e[i] + d_v[i] * g[i]
    for i in range(len(e)):
        a_log[i] -= eta * step[i]
    for i in range(len(e)):
        neg[i] = -math.exp(a_log[i])


@jit
def _class_loss(readout, target):
    """-log softmax(logits)[target], and its derivative in `d_logits`."""
    logits, d = readout.logits, readout.d_logits
    top = logits[0]
    for c in range(1, len(logits)):
        top = max(top, logits[c])
    for c in range(len(logits)):
        d[c] = math.exp(logits[c] - top)
    total = d[0]
    for c in range(1, len(logits)):
        total += d[c]
    for c in range(len(logits)):
        d[c] /= total
    d[target] -= 1
    return top + math.log(total) - logits[target]


@jit
def _label_loss(readout, target):
    """-Σ_c log σ(±logits_c) over the labels that are asked for, and its derivative."""
    logits, d = readout.logits, readout.d_logits
    loss = logits[0] - logits[0]
    for c in range(len(logits)):
        x = logits[c]
        d[c] = 0
        if target[c] >= 0:
            grown = math.exp(-abs(x))
            loss += max(x, x - x) - x * target[c] + math.log1p(grown)
            d[c] = (1 / (1 + grown) if x > 0 else grown / (1 + grown)) - target[c]
    return loss
