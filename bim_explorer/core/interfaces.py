"""The seams of the package: what a task hands out, and what model and rule promise.

Glossary
    B = streams of the batch that run side by side
    K = steps of a chunk (`chunk`); weights are fixed inside it and move at its end
    M = input channels (`d_in`), C = classes (`n_out`)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True, slots=True)
class Chunk:
    """K steps of B streams, in numpy.

    Attributes:
        spikes: Input spikes, 0 or 1, uint8 (B, K, M).
        target: Class asked for at each step, int64 (B, K); for several labels at once the 0 or 1
            of each, or -1 for a label that is not asked for, float32 (B, K, C). Meaningless
            where `mask` is False.
        mask: Steps at which the loss is read, bool (B, K).
        keep: False where the stream starts anew at that step, bool (B, K).
        verdict: Steps at which a judgement on the record so far is read, bool (B, K); None where
            every supervised step is judged by itself.
        surcharge: Nats that a target costs beside its class, float32 (B, K): a word among those
            that share a class. It counts in metrics, not in the loss. None where there is none.
    """

    spikes: np.ndarray
    target: np.ndarray
    mask: np.ndarray
    keep: np.ndarray
    verdict: np.ndarray | None = None
    surcharge: np.ndarray | None = None

    @property
    def n_steps(self) -> int:
        """K, the number of time steps."""
        return self.spikes.shape[1]


@runtime_checkable
class Task(Protocol):
    """A source of streams: training chunks without end, held-out chunks with one.

    A task is built as `TaskClass(values)` from the flat parameter values of a config
    and knows neither models nor torch.

    Attributes:
        name: Its registry name.
        title: What the page calls it.
        provenance: One sentence on where the data comes from, shown on the page.
        synthetic: True for generated data, which the page says in plain sight.
        d_in: Input channels M.
        n_out: Classes C.
        input_rate: Expected input spikes per channel and step, for scaling initial weights.
        metrics: Names of the metrics it is judged by, the leading one first.
        live: Names of its own parameters that can change while it runs.

    It may have `prior`, the log probability of every class in training, float (C,): what the
    readout answers before it has learned anything.
    """

    name: str
    title: str
    provenance: str
    synthetic: bool
    d_in: int
    n_out: int
    input_rate: float
    metrics: tuple[str, ...]
    live: frozenset[str]

    def chunk(self, n_steps: int) -> Chunk:
        """The next `n_steps` steps of every training stream."""
        ...

    def held_out(self, split: str, n_steps: int, limit: int | None = None) -> Iterator[Chunk]:
        """Chunks of data that training never sees, the same ones at every call.

        Args:
            split: "validation" or "test".
            n_steps: Steps of a chunk; the last one may be shorter.
            limit: Steps of each stream at the most; None for the whole split.

        Raises:
            DataError: The task has no such split.
        """
        ...

    def set(self, name: str, value: Any) -> None:
        """Change one of its `live` parameters, from the next trial or record on."""
        ...

    def state(self) -> dict[str, Any]:
        """Position and generators, as JSON-able data: `load_state` of it goes on exactly."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        ...


class SequenceModel(Protocol):
    """A network that turns chunks of spikes into logits and carries its state along."""

    def forward(self, spikes: Any, keep: Any) -> Any:
        """Advance all streams by a chunk and return the logits (B, K, C)."""
        ...

    def reset(self) -> None:
        """Forget the state of all streams."""
        ...


class LearningRule(Protocol):
    """What turns a chunk into one update of a model."""

    def update(self, chunk: Chunk) -> Any:
        """Run the chunk, change the weights once, and say what happened."""
        ...

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Change live parameters between two updates."""
        ...
