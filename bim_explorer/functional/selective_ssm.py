"""The dendrite: a selective state space for each neuron (BIM eqs. 1-2).

    u = W p,  Δ = softplus(W_Δ p + b_Δ),  B = W_B p + b_B,  C = W_C p + b_C
    a_t = exp(Δ_t A),  A = -exp(A_log)
    h_t = a_t ⊙ h_{t-1} + (Δ_t u_t) B_tᵀ
    y_t = h_t C_t + D ⊙ u_t

    p = postsynaptic potentials (batch, time, M)   h = state (batch, time, N, S)
    u, Δ, y (batch, time, N)   B, C (batch, time, S)   A, a as h   D (N,)

Departs from Mamba: Δ, B and C are read from p, not from u. Given p, no neuron sees another's
state, which is what makes the RTRL of `rtrl` exact and cheap.
"""

from __future__ import annotations

from typing import NamedTuple

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
    """What the potentials p select at each step."""

    u: Float[Tensor, "batch time neuron"]
    pre: Float[Tensor, "batch time neuron"]
    delta: Float[Tensor, "batch time neuron"]
    B: Float[Tensor, "batch time state"]
    C: Float[Tensor, "batch time state"]


def select(psp: Float[Tensor, "batch time input"], theta: BlockParameters) -> Selection:
    """Currents and selection from the postsynaptic potentials; `pre` is softplus's argument."""
    pre = linear(psp, theta.W_delta, theta.b_delta)
    return Selection(
        u=linear(psp, theta.W),
        pre=pre,
        delta=softplus(pre),
        B=linear(psp, theta.W_B, theta.b_B),
        C=linear(psp, theta.W_C, theta.b_C),
    )


def discretise(
    delta: Float[Tensor, "batch time neuron"], A_log: Float[Tensor, "neuron state"]
) -> Float[Tensor, "batch time neuron state"]:
    """a_t = exp(Δ_t A), the decay of each state over a step."""
    return torch.exp(delta[..., None] * -torch.exp(A_log))


def state_input(selection: Selection) -> Float[Tensor, "batch time neuron state"]:
    """(Δ_t u_t) B_tᵀ, what a step adds to the state."""
    return (selection.delta * selection.u)[..., None] * selection.B[..., None, :]


def output(
    h: Float[Tensor, "batch time neuron state"],
    selection: Selection,
    D: Float[Tensor, " neuron"],
) -> Float[Tensor, "batch time neuron"]:
    """y_t = h_t C_t + D ⊙ u_t (BIM eq. 2)."""
    return (h @ selection.C[..., None]).squeeze(-1) + D * selection.u
