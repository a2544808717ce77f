"""What every baseline promises: features of a chunk from its spikes and what is carried along.

    features_t = body(spikes_≤t, state),   logits = W features + b

The state is handed over from chunk to chunk without its graph: truncated BPTT, in which credit
ends at a chunk's border.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

State = dict[str, Tensor]


class Baseline(nn.Module, ABC):
    """A model with a linear readout; a subclass is built as `Model(d_in, n_out, values)`.

    Args:
        d_in: Input channels M.
        n_out: Classes C.
        values: Flat values; `d_model` features are read out.
    """

    def __init__(self, d_in: int, n_out: int, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.readout = nn.Linear(values["d_model"], n_out)

    @abstractmethod
    def start(self, batch: int) -> State:
        """What is carried along before the first chunk, by name, for so many streams."""

    @abstractmethod
    def features(
        self,
        spikes: Float[Tensor, "batch time input"],
        keep: Float[Tensor, "batch time"],
        state: State,
    ) -> tuple[Float[Tensor, "batch time feature"], State]:
        """Features of every step, and what is carried on.

        Args:
            spikes: Input spikes, 0 or 1.
            keep: 0 where a stream starts anew, else 1: nothing from before may be used there.
            state: What the last call returned, or `start`.
        """

    def forward(
        self,
        spikes: Float[Tensor, "batch time input"],
        keep: Float[Tensor, "batch time"],
        state: State,
    ) -> tuple[Float[Tensor, "batch time class"], State]:
        """Logits of every step, and what is carried on."""
        features, state = self.features(spikes, keep, state)
        return self.readout(features), state


def spans(keep: Float[Tensor, "batch time"]) -> Iterator[tuple[slice, Float[Tensor, " batch"]]]:
    """The chunk in pieces in which no stream starts anew, each with what is kept at its start."""
    steps = keep.shape[1]
    begins = [0, *((keep[:, 1:] == 0).any(0).nonzero().flatten() + 1).tolist(), steps]
    for begin, end in itertools.pairwise(begins):
        yield slice(begin, end), keep[:, begin]
