"""Reverse mode through one block, inside a chunk: from ∂L/∂y and ∂L/∂z to all parameters.

    λ_t = ψ_t ∂L/∂z_t + keep r_{t+1} λ_{t+1}          adjoint of V
    δy_t = ∂L/∂y_t + (1-ρ) R_m λ_t
    δh_t = δy_t C_t + keep a_{t+1} ⊙ δh_{t+1}         adjoint of h

At the chunk's border nothing comes back from the future; what would go on into the past,
δh_0 and δV_0, is returned: `rtrl` turns it into the exact gradient.

Source: BIM eqs. 1-3 differentiated; `trace` holds what the forward pass left.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.selective_ssm import BlockParameters, Selection
from bim_explorer.functional.soma import Soma
from bim_explorer.functional.surrogate import surrogate_derivative


class BlockTrace(NamedTuple):
    """What the forward pass of a chunk leaves for its adjoint and for the influences.

    `decay` is keep_t a_t and `slope` is keep_t r_t; `h_tm1` is h one step before `h`.
    """

    psp: Float[Tensor, "batch time input"]
    selection: Selection
    decay: Float[Tensor, "batch time neuron state"]
    h: Float[Tensor, "batch time neuron state"]
    h_tm1: Float[Tensor, "batch time neuron state"]
    y: Float[Tensor, "batch time neuron"]
    v: Float[Tensor, "batch time neuron"]
    slope: Float[Tensor, "batch time neuron"]
    z: Float[Tensor, "batch time neuron"]


class ChunkGradient(NamedTuple):
    """Gradient of the chunk's losses with the state before the chunk held fixed.

    `psp` is None where nothing below asks for it.
    """

    theta: BlockParameters
    psp: Float[Tensor, "batch time input"] | None
    h_0: Float[Tensor, "batch neuron state"]
    v_0: Float[Tensor, "batch neuron"]


def chunk_adjoint(
    trace: BlockTrace,
    d_y: Float[Tensor, "batch time neuron"],
    d_z: Float[Tensor, "batch time neuron"],
    theta: BlockParameters,
    membrane: Soma,
    kernels: Kernels,
    below: bool = True,
) -> ChunkGradient:
    """Reverse mode over the chunk; `d_y`, `d_z` are ∂L/∂y and ∂L/∂z at fixed V and h.

    `below` says whether a block below asks for ∂L/∂psp.
    """
    s = trace.selection
    psi = surrogate_derivative(trace.v - membrane.v_th)
    d_v, d_v0 = kernels.scan_adjoint(trace.slope, psi * d_z)
    d_y = d_y + membrane.gain * d_v
    d_h, d_h0 = kernels.scan_adjoint(trace.decay, d_y[..., None] * s.C[..., None, :])

    A = -torch.exp(theta.A_log)
    d_drive = (d_h @ s.B[..., None]).squeeze(-1)
    d_log_decay = d_h * trace.decay * trace.h_tm1
    d_u = theta.D * d_y + s.delta * d_drive
    d_delta = (d_log_decay * A).sum(-1) + s.u * d_drive
    d_pre = d_delta * torch.sigmoid(s.pre)
    d_B = ((s.delta * s.u)[..., None, :] @ d_h).squeeze(-2)
    d_C = (d_y[..., None, :] @ trace.h).squeeze(-2)

    psp = trace.psp.flatten(0, 1)
    gradient = BlockParameters(
        W=d_u.flatten(0, 1).T @ psp,
        W_delta=d_pre.flatten(0, 1).T @ psp,
        b_delta=d_pre.sum((0, 1)),
        W_B=d_B.flatten(0, 1).T @ psp,
        b_B=d_B.sum((0, 1)),
        W_C=d_C.flatten(0, 1).T @ psp,
        b_C=d_C.sum((0, 1)),
        A_log=(d_log_decay * s.delta[..., None]).sum((0, 1)) * A,
        D=(s.u * d_y).sum((0, 1)),
    )
    if not below:
        return ChunkGradient(gradient, None, d_h0, d_v0)
    d_psp = d_u @ theta.W + d_pre @ theta.W_delta + d_B @ theta.W_B + d_C @ theta.W_C
    return ChunkGradient(gradient, d_psp, d_h0, d_v0)
