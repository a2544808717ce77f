"""A task's chunk as tensors: the border between numpy streams and the network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bim_explorer.core.interfaces import Chunk


@dataclass(frozen=True, slots=True)
class ChunkTensors:
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
