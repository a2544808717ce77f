"""Exact RTRL of one block in chunks: the influences, and the gradient they carry across borders.

    E_K = dec_0 E_0 + Σ_k (dec_k ⊙ g_k) ⊗ p_k                         (BIM eq. 7, K steps at once)
    G_K = w_0 G_0 + c_0·E_0 + Σ_k (c_k·g_k + w_k (1-ρ) R_m ∂y_k) ⊗ p_k
    ∂L/∂θ = chunk's reverse mode + δh_0·E_0 + δV_0·G_0                (BIM eq. 8)

    E = influence of a parameter on h        G = influence on V
    g_k = immediate derivative of h_k        p = key: postsynaptic potentials, and 1 for a bias
    dec_k = Π_{m>k} keep_m a_m               w_k = Π_{m>k} keep_m r_m
    c_k = adjoint of V_K at h_k = c_{k+1} keep a_{k+1} + w_k (1-ρ) R_m C_k,  c_0 = keep a_1 c_1

    immediate derivatives, i a neuron, n a state, j an input
    W        Δ_i B_n           key p_j       W_B      Δ_i u_i (same n only)   key p_j
    W_Δ      (A a h + u B) σ   key p_j       A_log    a h Δ A                 no key

Rows of the stacked influence, for each neuron: E of W, W_Δ, W_B (S each), G of W and W_Δ (1 each),
G of W_B and W_C (S each): 5S + 2 rows that share one key, so a chunk is one matrix product.
A neuron's state depends on its own rows of W and W_Δ alone, and on W_B and W_C only through itself:
E[i,n,j] therefore needs no index for "which neuron's parameter", and eq. 7 is exact at that cost.
The influence of a pruned synapse is kept as it is and never read: ∂h/∂w exists at w = 0, too.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.selective_ssm import BlockParameters
from bim_explorer.functional.soma import Soma


class Influence(NamedTuple):
    """∂(h, V)/∂θ at the end of a chunk, N neurons, S states, M inputs.

    Attributes:
        keyed: The stacked rows, the last key being the bias.
        A_log_h: Influence of A_log on h.
        A_log_v: Influence of A_log on V.
        D_v: Influence of D on V.
    """

    keyed: Float[Tensor, "batch neuron 5S+2 M+1"]
    A_log_h: Float[Tensor, "batch neuron state"]
    A_log_v: Float[Tensor, "batch neuron state"]
    D_v: Float[Tensor, "batch neuron"]

    @classmethod
    def zeros(cls, batch: int, neurons: int, states: int, inputs: int, like: Tensor) -> Influence:
        """No influence yet, on the device and in the dtype of `like`."""
        return cls(
            like.new_zeros(batch, neurons, 5 * states + 2, inputs + 1),
            like.new_zeros(batch, neurons, states),
            like.new_zeros(batch, neurons, states),
            like.new_zeros(batch, neurons),
        )


class Rows(NamedTuple):
    """The families of the stacked influence, as views."""

    h_W: Tensor
    h_delta: Tensor
    h_B: Tensor
    v_W: Tensor
    v_delta: Tensor
    v_B: Tensor
    v_C: Tensor


def rows(stacked: Tensor, states: int, dim: int = 2) -> Rows:
    """Views of the families of a stacked tensor, whose axis `dim` has 5S + 2 rows."""
    return Rows(*stacked.split([states, states, states, 1, 1, states, states], dim=dim))


class Transport(NamedTuple):
    """How a chunk carries influences from its start to its end.

    Attributes:
        decay: dec_0.
        slope: w_0.
        cross: c_0.
        drive: Left factor of the chunk's product, the rows of every step.
        A_log_h: Σ_k dec_k ⊙ g_k of A_log.
        A_log_v: Σ_k c_k ⊙ g_k of A_log.
        D_v: Σ_k w_k (1-ρ) R_m u_k.
    """

    decay: Float[Tensor, "batch neuron state"]
    slope: Float[Tensor, "batch neuron"]
    cross: Float[Tensor, "batch neuron state"]
    drive: Float[Tensor, "batch time neuron 5S+2"]
    A_log_h: Float[Tensor, "batch neuron state"]
    A_log_v: Float[Tensor, "batch neuron state"]
    D_v: Float[Tensor, "batch neuron"]


def transport(
    trace: BlockTrace, theta: BlockParameters, membrane: Soma, kernels: Kernels
) -> Transport:
    """Decays, adjoints and immediate derivatives of a chunk, from its forward pass."""
    s = trace.selection
    dec, dec_0 = kernels.decay_to_end(trace.decay)
    w, w_0 = kernels.decay_to_end(trace.slope)
    w_gain = membrane.gain * w
    c, c_0 = kernels.scan_adjoint(trace.decay, w_gain[..., None] * s.C[..., None, :])

    A = -torch.exp(theta.A_log)
    d_log_decay = trace.decay * trace.h_tm1 * A
    g_W = s.delta[..., None] * s.B[..., None, :]
    g_delta = (d_log_decay + s.u[..., None] * s.B[..., None, :]) * torch.sigmoid(s.pre)[..., None]
    g_B = (s.delta * s.u)[..., None]
    g_A_log = d_log_decay * s.delta[..., None]

    states = trace.h.shape[-1]
    drive = trace.h.new_empty(*trace.h.shape[:-1], 5 * states + 2)
    row = rows(drive, states, dim=3)
    torch.mul(dec, g_W, out=row.h_W)
    torch.mul(dec, g_delta, out=row.h_delta)
    torch.mul(dec, g_B, out=row.h_B)
    row.v_W.copy_(((c * g_W).sum(-1) + w_gain * theta.D)[..., None])
    row.v_delta.copy_((c * g_delta).sum(-1, keepdim=True))
    torch.mul(c, g_B, out=row.v_B)
    torch.mul(w_gain[..., None], trace.h, out=row.v_C)
    return Transport(
        dec_0,
        w_0,
        c_0,
        drive,
        A_log_h=(dec * g_A_log).sum(1),
        A_log_v=(c * g_A_log).sum(1),
        D_v=(w_gain * s.u).sum(1),
    )


def with_bias_key(psp: Float[Tensor, "batch time input"]) -> Float[Tensor, "batch time key"]:
    """The keys of a chunk: p, and 1 for the biases."""
    return torch.cat([psp, psp.new_ones(*psp.shape[:-1], 1)], dim=-1)


def advance_(
    influence: Influence,
    move: Transport,
    key: Float[Tensor, "batch time key"],
    kernels: Kernels,
) -> Influence:
    """Carry the influences over a chunk; `influence.keyed` is written in place (BIM eq. 7)."""
    kernels.advance_influence(influence.keyed, move.drive, key, move.decay, move.slope, move.cross)
    slope = move.slope[..., None]
    return Influence(
        influence.keyed,
        move.decay * influence.A_log_h + move.A_log_h,
        slope * influence.A_log_v + move.cross * influence.A_log_h + move.A_log_v,
        move.slope * influence.D_v + move.D_v,
    )


def border_gradient(
    influence: Influence,
    d_h0: Float[Tensor, "batch neuron state"],
    d_v0: Float[Tensor, "batch neuron"],
    kernels: Kernels,
) -> BlockParameters:
    """δh_0·E_0 + δV_0·G_0: what the past owes to this chunk's losses (BIM eq. 8)."""
    of_W, of_delta, of_B, of_C = kernels.border_gradient(influence.keyed, d_h0, d_v0)
    through_v = (d_v0[..., None] * influence.A_log_v).sum(0)
    return BlockParameters(
        W=of_W[:, :-1],
        W_delta=of_delta[:, :-1],
        b_delta=of_delta[:, -1],
        W_B=of_B[:, :-1],
        b_B=of_B[:, -1],
        W_C=of_C[:, :-1],
        b_C=of_C[:, -1],
        A_log=(d_h0 * influence.A_log_h).sum(0) + through_v,
        D=(d_v0 * influence.D_v).sum(0),
    )
