"""`transformer`: torch's encoder with causal attention over the chunk and the steps before it.

    features_t = encoder(embedding(s_k)),   t - CONTEXT ≤ k ≤ t, same stream
    attention of head i: softmax_k(q_t·k_k / sqrt(d) - m_i (t - k)),   m_i = 2^(-8 i / heads)

    CONTEXT = steps before now that a step may attend to: all of its memory
    m_i = how fast head i loses sight of the past, i = 1 … heads

`n_blocks` layers of `d_model` features, normalised before each sublayer, without dropout. What is
carried along are the spikes of the last CONTEXT steps; their features are computed again with
every chunk, so a step that lies before the window is forgotten by all layers. Only ages enter,
no absolute places: with one layer the answers do not depend on the length of a chunk.

Source: Vaswani et al. (2017); linear biases in the place of positions by Press, Smith & Lewis
(2022), "Train short, test long".
"""

from __future__ import annotations

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
        bias = _bias(stream, self.heads).to(spikes.dtype)
        features = self.body(self.embedding(spikes), mask=bias)[:, CONTEXT:]
        stream = stream[:, -CONTEXT:] - stream[:, -1:]
        return features, {"spikes": spikes[:, -CONTEXT:], "stream": stream}


def _bias(stream: Tensor, heads: int) -> Tensor:
    """What is added to every head's scores (batch × head, step, step).

    The older the lower; minus infinity for the future, other streams, and what is too old.
    """
    place = torch.arange(stream.shape[1], device=stream.device)
    age = place[:, None] - place[None, :]
    other = stream[:, :, None] != stream[:, None, :]
    hidden = other | (age < 0) | (age > CONTEXT)
    head = torch.arange(1, heads + 1, device=stream.device)
    scores = -(2.0 ** (-8.0 * head / heads))[:, None, None] * age
    return scores.masked_fill(hidden[:, None], -torch.inf).flatten(0, 1)
