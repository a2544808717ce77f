"""The readout and its loss: cross-entropy, linear in y and z of a block.

logits = W_y y + W_z z + b
L = mean over streams of the sum over supervised steps of
    one class of C        -log softmax(logits)[target]
    C labels at once      -Σ_c log σ(±logits_c), + where label c is given; c with target -1 left out
∂L/∂logits = (softmax(logits) - onehot(target)) mask / B, or (σ(logits) - target) mask / B
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class ReadoutParameters(NamedTuple):
    """Weights of the readout of every block, L blocks, C classes, N neurons."""

    W_y: Float[Tensor, "block class neuron"]
    W_z: Float[Tensor, "block class neuron"]
    b: Float[Tensor, "block class"]


class Seen(NamedTuple):
    """What the readout sees of a block, or the loss's gradient by it; None where it does not."""

    y: Float[Tensor, "batch time neuron"] | None
    z: Float[Tensor, "batch time neuron"] | None


class Judgement(NamedTuple):
    """What a chunk's losses say.

    Attributes:
        logits: The readout's answer (batch, time, class).
        loss: Of every step, 0 where unsupervised (batch, time).
        d_seen: ∂L/∂y and ∂L/∂z of every block.
        gradient: ∂L/∂ of the readout's parameters, by name; of weights that see nothing none.
    """

    logits: Tensor
    loss: Tensor
    d_seen: list[Seen]
    gradient: dict[str, Tensor]


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


def answer(votes: Sequence[Tensor], apart: bool) -> Float[Tensor, "batch time class"]:
    """The readout's logits: what the blocks vote for together, or the mean of their own."""
    together = reduce(torch.add, votes)
    return together / len(votes) if apart else together


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


def judge(
    seen: Sequence[Seen],
    parameters: ReadoutParameters,
    target: Int[Tensor, "batch time"] | Float[Tensor, "batch time class"],
    mask: Bool[Tensor, "batch time"],
    apart: bool,
    cross_entropy: Callable[..., tuple[Tensor, Tensor]] = cross_entropy,
) -> Judgement:
    """The readout's answer and its loss, and what follows from it for all that it sees.

    Args:
        seen: Of every block.
        parameters: The readout's.
        target: What is asked for.
        mask: Where.
        apart: Each block has a loss on its own vote, and L is their mean: credit is local.
        cross_entropy: A backend's own, where it is faster.
    """
    votes = [block_logits(*each, parameters, block) for block, each in enumerate(seen)]
    logits = answer(votes, apart)
    if apart:
        judged = [cross_entropy(vote, target, mask) for vote in votes]
        loss, d_votes = torch.stack([each for each, _ in judged]).mean(0), [d for _, d in judged]
    else:
        loss, d_vote = cross_entropy(logits, target, mask)
        d_votes = [d_vote] * len(seen)
    d_y, of_y = _through(d_votes, [each.y for each in seen], parameters.W_y)
    d_z, of_z = _through(d_votes, [each.z for each in seen], parameters.W_z)
    of_b = torch.stack([d.sum((0, 1)) for d in d_votes])
    gradient = {"W_y": of_y, "W_z": of_z, "b": of_b}
    return Judgement(
        logits,
        loss,
        [Seen(*each) for each in zip(d_y, d_z, strict=True)],
        {name: slope for name, slope in gradient.items() if slope is not None},
    )


def _through(
    d_votes: list[Tensor], signals: list[Tensor | None], weights: Tensor
) -> tuple[list[Tensor | None], Tensor | None]:
    """∂L/∂signal of every block, and ∂L/∂weights; None where the readout does not see it."""
    slopes = [
        None if signal is None else (d @ w, d.flatten(0, 1).T @ signal.flatten(0, 1))
        for d, signal, w in zip(d_votes, signals, weights, strict=True)
    ]
    seen = [slope for slope in slopes if slope is not None]
    if not seen:
        return [None] * len(slopes), None
    return [d for d, _ in seen], torch.stack([product for _, product in seen])


def guess_loss(n_out: int, labels: bool) -> float:
    """Loss of guessing [nats]: one class of `n_out`, or `n_out` labels at once."""
    return n_out * math.log(2.0) if labels else math.log(max(n_out, 2))
