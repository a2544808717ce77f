"""The dendrite: a selective state space for each neuron (BIM eqs. 1-2).

    u = W p,  Δ = softplus(W_Δ p + b_Δ),  B = W_B p + b_B,  C = W_C p + b_C
    a_t = exp(Δ_t A),  A = -exp(A_log)
    h_t = a_t ⊙ h_{t-1} + B_t (Δ_t u_t)ᵀ
    y_t = C_tᵀ h_t + D ⊙ u_t

    p = postsynaptic potentials (batch, time, M)   h = state (batch, time, S, N)
    u, Δ, y (batch, time, N)   B, C (batch, time, S)   a, A as h   D (N,)

Departs from Mamba: Δ, B and C are read from p, not from u. Given p, no neuron sees another's
state, which is what makes the RTRL of `rtrl` exact and cheap.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear, softplus


class BlockParameters(NamedTuple):
    """The nine parameter groups of a block, M inputs, N neurons, S states."""

    W: Float[Tensor, "neuron input"]
    W_delta: Float[Tensor, "neuron input"]
    b_delta: Float[Tensor, " neuron"]
    W_B: Float[Tensor, "state input"]
    b_B: Float[Tensor, " state"]
    W_C: Float[Tensor, "state input"]
    b_C: Float[Tensor, " state"]
    A_log: Float[Tensor, "neuron state"]
    D: Float[Tensor, " neuron"]


class Selection(NamedTuple):
    """What the potentials p select at each step; `gate` is ∂Δ/∂(W_Δ p + b_Δ)."""

    u: Float[Tensor, "batch time neuron"]
    delta: Float[Tensor, "batch time neuron"]
    gate: Float[Tensor, "batch time neuron"]
    B: Float[Tensor, "batch time state"]
    C: Float[Tensor, "batch time state"]


class Dendrite(NamedTuple):
    """What a block's dendrites did over a chunk.

    Attributes:
        y: Their output.
        h_after: The last h.
        psp_after: What each filter of the potentials has behind the chunk.
        flow: What a backend needs of the chunk on its way back, in a form of its own; the
            reference's is a `Flow`.
    """

    y: Float[Tensor, "batch time neuron"]
    h_after: Float[Tensor, "batch state neuron"]
    psp_after: Float[Tensor, "filter batch input"]
    flow: Any


class Flow(NamedTuple):
    """How a chunk's potentials p went through the state space.

    Attributes:
        psp: p.
        selection: What they select.
        A: -exp(A_log).
        decay: keep_t a_t.
        h: The state.
        h_0: The state before the chunk.
    """

    psp: Float[Tensor, "batch time input"]
    selection: Selection
    A: Float[Tensor, "state neuron"]
    decay: Float[Tensor, "batch time state neuron"]
    h: Float[Tensor, "batch time state neuron"]
    h_0: Float[Tensor, "batch state neuron"]

    @property
    def h_tm1(self) -> Float[Tensor, "batch time state neuron"]:
        """h one step before `h`."""
        return torch.cat([self.h_0[:, None], self.h[:, :-1]], dim=1)


def softplus_and_slope(x: Float[Tensor, "*shape"]) -> tuple[Tensor, Tensor]:
    """log(1 + e^x), and its derivative 1 / (1 + e^-x)."""
    return softplus(x), torch.sigmoid(x)


def select(psp: Float[Tensor, "batch time input"], theta: BlockParameters) -> Selection:
    """Currents and selection from the postsynaptic potentials p."""
    delta, gate = softplus_and_slope(linear(psp, theta.W_delta, theta.b_delta))
    return Selection(
        u=linear(psp, theta.W),
        delta=delta,
        gate=gate,
        B=linear(psp, theta.W_B, theta.b_B),
        C=linear(psp, theta.W_C, theta.b_C),
    )


def projections(theta: BlockParameters) -> Float[Tensor, "row input"]:
    """The weights that the potentials meet, side by side: W, W_Δ, W_B and W_C."""
    return torch.cat([theta.W, theta.W_delta, theta.W_B, theta.W_C])


def by_projection(rows: Any, bias: Any, A_log: Any, D: Any) -> BlockParameters:
    """Parameters, or arrays in their place, from what lies as in `projections`.

    Args:
        rows: What stands for the weights (2 neuron + 2 state, input).
        bias: What stands for the biases, W's being without use (2 neuron + 2 state,).
        A_log: Taken as it is (neuron, state).
        D: Likewise (neuron,).
    """
    neurons, states = A_log.shape
    of_delta = slice(neurons, 2 * neurons)
    of_B, of_C = slice(2 * neurons, 2 * neurons + states), slice(2 * neurons + states, None)
    return BlockParameters(
        W=rows[:neurons],
        W_delta=rows[of_delta],
        b_delta=bias[of_delta],
        W_B=rows[of_B],
        b_B=bias[of_B],
        W_C=rows[of_C],
        b_C=bias[of_C],
        A_log=A_log,
        D=D,
    )


def discretise(
    delta: Float[Tensor, "batch time neuron"], A_log: Float[Tensor, "neuron state"]
) -> Float[Tensor, "batch time state neuron"]:
    """a_t = exp(Δ_t A), the decay of each state over a step."""
    return torch.exp(delta[..., None, :] * -torch.exp(A_log.T))


def state_input(selection: Selection) -> Float[Tensor, "batch time state neuron"]:
    """B_t (Δ_t u_t)ᵀ, what a step adds to the state."""
    return selection.B[..., None] * (selection.delta * selection.u)[..., None, :]


def output(
    h: Float[Tensor, "batch time state neuron"],
    selection: Selection,
    D: Float[Tensor, " neuron"],
) -> Float[Tensor, "batch time neuron"]:
    """y_t = C_tᵀ h_t + D ⊙ u_t (BIM eq. 2)."""
    return (selection.C[..., None, :] @ h).squeeze(-2) + D * selection.u
