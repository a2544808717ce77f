"""A task's chunk as tensors, and what an update made of it: the border of every learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.core.interfaces import Chunk
from bim_explorer.functional.adjoint import BlockTrace

_NUMBERS = {torch.float32: np.float32, torch.float64: np.float64}


class ChunkTensors(NamedTuple):
    """A task's chunk on the network's device: spikes and keep in its dtype."""

    spikes: Tensor
    target: Tensor
    mask: Tensor
    keep: Tensor

    @classmethod
    def of(cls, chunk: Chunk, like: Tensor) -> ChunkTensors:
        """The tensors of a numpy chunk."""
        number = _NUMBERS[like.dtype]
        given = (chunk.spikes.astype(number), chunk.target, chunk.mask, chunk.keep.astype(number))
        tensors = [torch.from_numpy(array) for array in given]
        if like.is_cpu:
            return cls(*tensors)
        return cls(*(tensor.to(like.device) for tensor in tensors))


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
