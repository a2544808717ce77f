"""A step as a linear map of columns: made, applied to a column, put behind another map.

The equations are those of `functional.event`; the layout of a column is that of `columns`.

    maps[k]    8S+6 rows of N    what p adds to each row of a column (5S+4), then
                                 L, C, X (S each), R, X_g
    small[k]   2S                what p adds to W_B, W_C

W rows lose X·E + X_g G; all other rows only ever meet their own neuron.
"""

from __future__ import annotations

from bim_explorer.kernels.columns import (
    D_OUT,
    D_V,
    DELTA,
    ETA,
    G_DELTA,
    GAIN,
    SLOPE_R,
    WORK,
    A,
    B,
    C,
    D,
    H,
    U,
)
from bim_explorer.kernels.numba_neurons import dot, dot_2, jit


@jit
def apply_map(col, small, p, m, m_small):
    """Carry a column with key p over the steps that a map stands for."""
    states = m_small.shape[0] // 2
    first = 5 * states + 4
    _through_y(col, p, m, states)
    slope, x_g = m[first + 3 * states], m[first + 3 * states + 1]
    for n in range(states):
        decay, c, x = m[first + n], m[first + states + n], m[first + 2 * states + n]
        e, g, gain_e = col[2 * states + n], col[3 * states + n], m[2 * states + n]
        gain_g = m[3 * states + n]
        small[n] += p * m_small[n] - dot_2(x, e, x_g, g)
        for i in range(len(e)):
            g[i] = slope[i] * g[i] + c[i] * e[i] + p * gain_g[i]
        for i in range(len(e)):
            e[i] = decay[i] * e[i] + p * gain_e[i]
        g, gain_g = col[4 * states + n], m[4 * states + n]
        small[states + n] += p * m_small[states + n] - dot(x_g, g)
        for i in range(len(e)):
            g[i] = slope[i] * g[i] + p * gain_g[i]


@jit
def _through_y(col, p, m, states):
    """The rows of W and of W_Δ: E (S), G, and the weights."""
    first, row = 5 * states + 4, 5 * states
    slope, x_g = m[first + 3 * states], m[first + 3 * states + 1]
    for g_row in (row, row + 1):
        g, w, gain_g, gain_w = col[g_row], col[g_row + 2], m[g_row], m[g_row + 2]
        for i in range(len(g)):
            w[i] += p * gain_w[i] - x_g[i] * g[i]
        for i in range(len(g)):
            g[i] = slope[i] * g[i] + p * gain_g[i]
    g, g_delta, w, w_delta = col[row], col[row + 1], col[row + 2], col[row + 3]
    for n in range(states):
        decay, c, x = m[first + n], m[first + states + n], m[first + 2 * states + n]
        e, e_delta = col[n], col[states + n]
        gain_e, gain_delta = m[n], m[states + n]
        for i in range(len(g)):
            g[i] += c[i] * e[i]
            g_delta[i] += c[i] * e_delta[i]
        for i in range(len(g)):
            w[i] -= x[i] * e[i]
            w_delta[i] -= x[i] * e_delta[i]
        for i in range(len(g)):
            e[i] = decay[i] * e[i] + p * gain_e[i]
            e_delta[i] = decay[i] * e_delta[i] + p * gain_delta[i]


@jit
def compose(m, m_small, p, later, later_small):
    """Put `later` behind m, in place; p is what a key of 1 has become when `later` begins."""
    states = m_small.shape[0] // 2
    first = 5 * states + 4
    apply_map(m, m_small, p, later, later_small)
    r, x_g = m[first + 3 * states], m[first + 3 * states + 1]
    r_later, x_g_later = later[first + 3 * states], later[first + 3 * states + 1]
    for n in range(states):
        decay, c, x = m[first + n], m[first + states + n], m[first + 2 * states + n]
        decay_later, c_later = later[first + n], later[first + states + n]
        x_later = later[first + 2 * states + n]
        for i in range(len(r)):
            x[i] += x_later[i] * decay[i] + x_g_later[i] * c[i]
        for i in range(len(r)):
            c[i] = r_later[i] * c[i] + c_later[i] * decay[i]
        for i in range(len(r)):
            decay[i] *= decay_later[i]
    for i in range(len(r)):
        x_g[i] += x_g_later[i] * r[i]
    for i in range(len(r)):
        r[i] *= r_later[i]


@jit
def step_map(m, m_small, block):
    """The map of the newest step, from its forward pass and its adjoints (BIM eqs. 7-8)."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states, gain, eta = select.shape[1], const[GAIN], const[ETA]
    delta, slope, out, work = unit[DELTA], unit[SLOPE_R], unit[D_OUT], unit[WORK]
    d_v, u = unit[D_V], unit[U]
    first = 5 * states + 4
    _weight_rows(m, block)
    r, x_g = m[first + 3 * states], m[first + 3 * states + 1]
    for i in range(len(r)):
        r[i] = slope[i]
        x_g[i] = eta * slope[i] * d_v[i]
    for i in range(len(r)):
        work[i] = delta[i] * u[i]
    for n in range(states):
        a, h, c_n = channel[A * states + n], channel[H * states + n], select[C, n]
        decay, c, x = m[first + n], m[first + states + n], m[first + 2 * states + n]
        through_y, eta_c = gain * c_n, eta * c_n
        for i in range(len(r)):
            decay[i] = a[i]
            c[i] = through_y * a[i]
        for i in range(len(r)):
            x[i] = eta_c * out[i] * a[i]
        m_small[n] = -eta_c * dot(out, work)
        m_small[states + n] = -eta * dot(out, h)
        _state_rows(m, block, n, through_y)


@jit
def _state_rows(m, block, n, through_y):
    """What p adds at this step to E of all, and to G of W_B and W_C, in state n."""
    channel, unit, select, gain = block.channel, block.unit, block.select, block.const[GAIN]
    states, b_n = select.shape[1], select[B, n]
    e_w, e_delta, e_b = m[n], m[states + n], m[2 * states + n]
    g_b, g_c = m[3 * states + n], m[4 * states + n]
    h, g_delta = channel[H * states + n], channel[G_DELTA * states + n]
    delta, delta_u = unit[DELTA], unit[WORK]
    for i in range(len(h)):
        e_w[i] = b_n * delta[i]
        e_delta[i] = g_delta[i]
    for i in range(len(h)):
        e_b[i] = delta_u[i]
        g_b[i] = through_y * delta_u[i]
    for i in range(len(h)):
        g_c[i] = gain * h[i]


@jit
def _weight_rows(m, block):
    """What p adds at this step to G and to the weights, for W and W_Δ."""
    channel, unit, select, const = block.channel, block.unit, block.select, block.const
    states, gain, eta = select.shape[1], const[GAIN], const[ETA]
    delta, out, d = unit[DELTA], unit[D_OUT], unit[D]
    row = 5 * states
    g_w, g_delta, w, w_delta = m[row], m[row + 1], m[row + 2], m[row + 3]
    b_c = dot(select[B], select[C])
    for i in range(len(out)):
        g_w[i] = b_c * delta[i] + d[i]
    g_delta[:] = 0
    for n in range(states):
        c_n, g = select[C, n], channel[G_DELTA * states + n]
        for i in range(len(out)):
            g_delta[i] += c_n * g[i]
    for i in range(len(out)):
        w[i] = -eta * out[i] * g_w[i]
        w_delta[i] = -eta * out[i] * g_delta[i]
    for i in range(len(out)):
        g_w[i] *= gain
        g_delta[i] *= gain
