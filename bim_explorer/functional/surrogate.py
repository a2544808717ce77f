"""The spike and its surrogate derivative: what every backend is held to.

    z = H(v),   dz/dv := ψ(v) = 1 / (1 + 4|v|)²

    v = V - V_th, distance of the membrane potential from threshold
    z = spike, 0 or 1

Source: BIM leaves the surrogate open; this is the fast sigmoid of Zenke & Ganguli (2018) with
slope 4. Replace `surrogate_derivative` to exchange it: neurons, RTRL and audit of the torch backend
follow. The compiled scans of `lif` state it once more (`kernels.numba_dendrite`, `numba_neurons`);
tests compare them with this one.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

SLOPE = 4.0


def spike(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """H(v): 1 where the membrane potential is above threshold, else 0, in v's dtype."""
    return (v > 0).to(v.dtype)


def surrogate_derivative(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ψ(v), what stands in for the derivative of `spike`."""
    return v.abs().mul(SLOPE).add_(1.0).square_().reciprocal_()


class SurrogateSpike(torch.autograd.Function):
    """`spike` for autograd, with `surrogate_derivative` as its derivative: for oracles."""

    @staticmethod
    def forward(ctx: Any, v: Tensor) -> Tensor:
        """H(v)."""
        ctx.save_for_backward(v)
        return spike(v)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Tensor:
        """ψ(v) times the incoming gradient."""
        (v,) = ctx.saved_tensors
        return grad_outputs[0] * surrogate_derivative(v)
