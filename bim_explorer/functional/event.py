"""Learning step by step at the price of the spikes: steps as linear maps of columns (reference).

All that belongs to input j, its influences and its weights, is a column. In a step without a spike
of j it moves linearly, by one map that all columns share, weights moving included:

    E_t = a E + g p                                  (BIM eq. 7)
    G_t = r G + k C·(a E) + k (C·g + D) p
    w_t = w - η (δh·E_t + δV G_t + e D p)            (BIM eq. 8, SGD)
        = w - X·E - X_g G - Y p,    X = η ε C a,  X_g = η δV r,  Y = η ε (C·g + D)
    p_{t+1} = κ keep p_t

    k = (1-ρ) R_m    e = ∂L/∂y directly    δV = ψ ∂L/∂z    ε = e + k δV    η = learning rate
    a, r = decay of h and slope of V, times keep    the dot sums over states for W and W_Δ

Maps compose, so a column is carried over all steps since its input's last spike at once, and only
then. A spike adds 1 to p_j. Two further columns move by the same maps: the biases, whose p is 1,
and Σ_j p_j column_j, whose p is ‖p‖²: its weights are u = W p and the like, so that the currents
of the next step need no column either.

Departs from running quotients (Ê = E / Πa, re-based when Πa < tol): maps are only ever applied
forward, nothing is divided by a decayed product, and a stream's restart is the map with a = r = 0.
Exact to rounding at any firing rate, and no tolerance to choose.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.lif import Membrane
from bim_explorer.functional.selective_ssm import BlockParameters


class Column(NamedTuple):
    """Influences (h_*: on h, v_*: on V) and weights of one input; N neurons, S states."""

    h_W: Float[Tensor, "neuron state"]
    h_delta: Float[Tensor, "neuron state"]
    h_B: Float[Tensor, "neuron state"]
    v_W: Float[Tensor, " neuron"]
    v_delta: Float[Tensor, " neuron"]
    v_B: Float[Tensor, "neuron state"]
    v_C: Float[Tensor, "neuron state"]
    W: Float[Tensor, " neuron"]
    W_delta: Float[Tensor, " neuron"]
    W_B: Float[Tensor, " state"]
    W_C: Float[Tensor, " state"]


class StepMap(NamedTuple):
    """What one or more steps do to a column with key p.

    Attributes:
        adds: What a key of 1 adds to each row.
        decay: Πa, of E on itself.
        cross: Of E on G.
        slope: Πr, of G on itself.
        learn_h: X, what E takes off the weights.
        learn_v: X_g, what G takes off the weights.
        key: What a key of 1 is at the end.
    """

    adds: Column
    decay: Float[Tensor, "neuron state"]
    cross: Float[Tensor, "neuron state"]
    slope: Float[Tensor, " neuron"]
    learn_h: Float[Tensor, "neuron state"]
    learn_v: Float[Tensor, " neuron"]
    key: float


def step_map(
    trace: BlockTrace,
    theta: BlockParameters,
    membrane: Membrane,
    d_y: Float[Tensor, " neuron"],
    d_z: Float[Tensor, " neuron"],
    learning_rate: float,
) -> StepMap:
    """The map of one step of one stream, from its forward pass and ∂L/∂y, ∂L/∂z."""
    flow, gain, eta = trace.dendrite.flow, membrane.gain, learning_rate
    s = flow.selection
    u, delta, gate, B, C = (x[0, 0] for x in (s.u, s.delta, s.gate, s.B, s.C))
    decay, h, h_tm1 = (x[0, 0].T for x in (flow.decay, flow.h, flow.h_tm1))
    slope = trace.soma.slope[0, 0]
    d_v = trace.soma.psi[0, 0] * d_z
    out = d_y + gain * d_v
    g_W = delta[:, None] * B
    g_delta = decay * h_tm1 * flow.A.T + u[:, None] * B
    g_delta = g_delta * gate[:, None]
    g_B = (delta * u)[:, None].expand_as(h)
    y_W, y_delta = g_W @ C + theta.D, g_delta @ C
    adds = Column(
        h_W=g_W,
        h_delta=g_delta,
        h_B=g_B,
        v_W=gain * y_W,
        v_delta=gain * y_delta,
        v_B=gain * C * g_B,
        v_C=gain * h,
        W=-eta * out * y_W,
        W_delta=-eta * out * y_delta,
        W_B=-eta * (out @ (C * g_B)),
        W_C=-eta * (out @ h),
    )
    cross, learn_h = gain * C * decay, eta * out[:, None] * C * decay
    return StepMap(adds, decay, cross, slope, learn_h, eta * d_v * slope, 1.0)


def carry(column: Column, key: float, step: StepMap) -> Column:
    """The column behind the steps of a map; `key` is p_j in the map's first step."""
    x, x_v, cross, slope = step.learn_h, step.learn_v, step.cross, step.slope
    old = Column(
        h_W=step.decay * column.h_W,
        h_delta=step.decay * column.h_delta,
        h_B=step.decay * column.h_B,
        v_W=slope * column.v_W + (cross * column.h_W).sum(1),
        v_delta=slope * column.v_delta + (cross * column.h_delta).sum(1),
        v_B=slope[:, None] * column.v_B + cross * column.h_B,
        v_C=slope[:, None] * column.v_C,
        W=column.W - (x * column.h_W).sum(1) - x_v * column.v_W,
        W_delta=column.W_delta - (x * column.h_delta).sum(1) - x_v * column.v_delta,
        W_B=column.W_B - (x * column.h_B).sum(0) - x_v @ column.v_B,
        W_C=column.W_C - x_v @ column.v_C,
    )
    return Column(*(a + key * b for a, b in zip(old, step.adds, strict=True)))


def compose(first: StepMap, then: StepMap, key_decay: float) -> StepMap:
    """`then` behind `first`; `key_decay` is κ keep of the step at which `then` begins."""
    key = first.key * key_decay
    return StepMap(
        adds=carry(first.adds, key, then),
        decay=then.decay * first.decay,
        cross=then.slope[:, None] * first.cross + then.cross * first.decay,
        slope=then.slope * first.slope,
        learn_h=first.learn_h + then.learn_h * first.decay + then.learn_v[:, None] * first.cross,
        learn_v=first.learn_v + then.learn_v * first.slope,
        key=key * then.key,
    )
