"""A task's chunk as tensors, and what an update made of it: the border of every learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.core.interfaces import Chunk
from bim_explorer.functional.adjoint import BlockTrace


class ChunkTensors(NamedTuple):
    """A task's chunk on the network's device: spikes and keep in its dtype."""

    spikes: Tensor
    target: Tensor
    mask: Tensor
    keep: Tensor

    @classmethod
    def of(cls, chunk: Chunk, like: Tensor) -> ChunkTensors:
        """The tensors of a numpy chunk."""
        return cls(
            torch.from_numpy(chunk.spikes).to(like),
            torch.from_numpy(chunk.target).to(like.device),
            torch.from_numpy(chunk.mask).to(like.device),
            torch.from_numpy(chunk.keep).to(like),
        )


class StepTrace(NamedTuple):
    """What a block did at one step, where nothing else is left of it."""

    y: Float[Tensor, "1 1 neuron"]
    v: Float[Tensor, "1 1 neuron"]
    z: Float[Tensor, "1 1 neuron"]


class UpdateResult(NamedTuple):
    """What one update did. Tensors are the learner's own: copy what you keep.

    Attributes:
        update: Its number, from 1.
        steps: Time steps of its chunk, summed over the streams.
        loss: Mean loss of a supervised step [nats]; None if the chunk had none.
        logits: What the network answered (batch, time, class).
        chunk: What it was asked.
        traces: What every block did; a model without spikes has none.
        weights_before: W of each block before the update, if it was watched.
    """

    update: int
    steps: int
    loss: float | None
    logits: Tensor
    chunk: ChunkTensors
    traces: Sequence[BlockTrace | StepTrace]
    weights_before: list[Tensor] | None
