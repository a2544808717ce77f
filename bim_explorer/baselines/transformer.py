"""`transformer`: torch's encoder with causal attention over the chunk and the steps before it.

    features_t = encoder(embedding(s_k) + position(k),  t - CONTEXT ≤ k ≤ t, same stream)

    CONTEXT = steps before now that a step may attend to: all of its memory

`n_blocks` layers of `d_model` features, normalised before each sublayer, without dropout. What is
carried along are the spikes of the last CONTEXT steps; their features are computed again with
every chunk, so a step that lies before the window is forgotten by all layers.

Source: Vaswani et al. (2017); sinusoidal positions as there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bim_explorer.baselines.model import Baseline, State

CONTEXT = 64
HEADS = 4


class Transformer(Baseline):
    """See `Baseline` for the arguments."""

    def __init__(self, d_in: int, n_out: int, values: Mapping[str, Any]) -> None:
        super().__init__(d_in, n_out, values)
        size = values["d_model"]
        self.heads = HEADS if size % HEADS == 0 else 1
        self.embedding = nn.Linear(d_in, size)
        layer = nn.TransformerEncoderLayer(
            size, self.heads, 2 * size, dropout=0.0, batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, values["n_blocks"], enable_nested_tensor=False)

    def start(self, batch: int) -> State:
        """No spikes, and of no stream of now: `stream` is 0 for that, less for earlier ones."""
        like = self.readout.weight
        spikes = like.new_zeros(batch, CONTEXT, self.embedding.in_features)
        return {"spikes": spikes, "stream": like.new_full((batch, CONTEXT), -1.0)}

    def features(self, spikes: Tensor, keep: Tensor, state: State) -> tuple[Tensor, State]:
        """Features of the chunk's steps, those of the context left out."""
        spikes = torch.cat([state["spikes"], spikes], dim=1)
        stream = torch.cat([state["stream"], (1.0 - keep).cumsum(1)], dim=1)
        embedded = self.embedding(spikes) + _positions(self.readout.weight, spikes.shape[1])
        hidden = _hidden(stream).repeat_interleave(self.heads, dim=0)
        features = self.body(embedded, mask=hidden)[:, CONTEXT:]
        stream = stream[:, -CONTEXT:] - stream[:, -1:]
        return features, {"spikes": spikes[:, -CONTEXT:], "stream": stream}


def _hidden(stream: Tensor) -> Tensor:
    """What a step must not see (batch, step, step): the future, other streams, the long past."""
    age = torch.arange(stream.shape[1], device=stream.device)
    age = age[:, None] - age[None, :]
    other = stream[:, :, None] != stream[:, None, :]
    return other | (age < 0) | (age > CONTEXT)


def _positions(like: Tensor, steps: int) -> Tensor:
    """Sines and cosines of every step (step, feature)."""
    size = like.shape[1]
    place = torch.arange(steps, device=like.device, dtype=like.dtype)[:, None]
    pair = torch.arange(0, size, 2, device=like.device, dtype=like.dtype)
    angle = place * torch.exp(pair * (-math.log(10_000.0) / size))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :size]
