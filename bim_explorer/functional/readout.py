"""The readout and its loss: cross-entropy, linear in y and z of a block.

logits = W_y y + W_z z + b
L = mean over streams of the sum over supervised steps of
    one class of C        -log softmax(logits)[target]
    C labels at once      -Σ_c log σ(±logits_c), + where label c is given; c with target -1 left out
∂L/∂logits = (softmax(logits) - onehot(target)) mask / B, or (σ(logits) - target) mask / B
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class ReadoutParameters(NamedTuple):
    """Weights of the readout of every block, L blocks, C classes, N neurons."""

    W_y: Float[Tensor, "block class neuron"]
    W_z: Float[Tensor, "block class neuron"]
    b: Float[Tensor, "block class"]


def block_logits(
    y: Float[Tensor, "batch time neuron"] | None,
    z: Float[Tensor, "batch time neuron"] | None,
    parameters: ReadoutParameters,
    block: int,
) -> Float[Tensor, "batch time class"]:
    """What one block votes for; a signal that the readout does not see is None."""
    bias, shape = parameters.b[block], next(x.shape[:2] for x in (y, z) if x is not None)
    logits: Tensor = bias
    for seen, weights in ((y, parameters.W_y[block]), (z, parameters.W_z[block])):
        if seen is not None:
            logits = torch.addmm(logits, seen.flatten(0, 1), weights.T)
    return logits.view(*shape, -1)


def cross_entropy(
    logits: Float[Tensor, "batch time class"],
    target: Int[Tensor, "batch time"] | Float[Tensor, "batch time class"],
    mask: Bool[Tensor, "batch time"],
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time class"]]:
    """Loss of every step in nats (0 where unsupervised), and ∂L/∂logits."""
    if target.ndim == logits.ndim:
        return _label_entropy(logits, target, mask)
    log_p = torch.log_softmax(logits, dim=-1)
    chosen = target.clamp(min=0)[..., None]
    supervised = mask.to(logits.dtype)[..., None]
    loss = -log_p.gather(-1, chosen) * supervised
    d_logits = log_p.exp().scatter_add_(-1, chosen, loss.new_tensor(-1.0).expand_as(loss))
    return loss.squeeze(-1), d_logits.mul_(supervised / logits.shape[0])


def _label_entropy(
    logits: Float[Tensor, "batch time class"],
    target: Float[Tensor, "batch time class"],
    mask: Bool[Tensor, "batch time"],
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time class"]]:
    supervised = mask.to(logits.dtype)
    given = target.to(logits.dtype)
    asked = (given >= 0).to(logits.dtype)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, given, reduction="none")
    d_logits = (torch.sigmoid(logits) - given) * (supervised / logits.shape[0])[..., None]
    return (loss * asked).sum(-1) * supervised, d_logits * asked


def guess_loss(n_out: int, labels: bool) -> float:
    """Loss of guessing [nats]: one class of `n_out`, or `n_out` labels at once."""
    return n_out * math.log(2.0) if labels else math.log(max(n_out, 2))
