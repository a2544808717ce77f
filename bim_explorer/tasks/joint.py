"""Multimodal: two tasks at once, their channels side by side in one stream.

    input     the channels of both tasks, both playing
    labels    those of both: a task with classes 0, 1 … has one label for each class but the first
    asked     a label's target is -1 at steps at which its own task asks nothing

A stream begins anew whenever a record of either begins, so that nothing leaks between records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Chunk, Task
from bim_explorer.tasks.pair import build_parts, told


class Joint:
    """The task of that name; see the module.

    Args:
        values: Flat values; `first` and `second` are read, the rest goes to both tasks.

    Raises:
        ConfigError: The two are the same, or not two tasks on their own.
    """

    name = "joint"
    title = "Multimodal: two tasks at once"
    synthetic = True
    reads = ""
    metrics = ("auc_roc", "auc_pr")
    live: frozenset[str] = frozenset()
    judged = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._parts = build_parts(values)
        self.provenance = self.describe(values)
        self.synthetic = any(part.synthetic for part in self._parts)
        self._labels = [labels_of(part) for part in self._parts]
        self.d_in, self.n_out = sum(part.d_in for part in self._parts), sum(self._labels)
        self.input_rate = sum(p.d_in * p.input_rate for p in self._parts) / self.d_in
        steps = [getattr(part, "validation_steps", 512) for part in self._parts]
        self.validation_steps = max(steps)

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        first, second = told(values)
        return f"{first} beside {second}."

    def chunk(self, n_steps: int) -> Chunk:
        """The next `n_steps` steps of every training stream, of both tasks."""
        return self._joined([part.chunk(n_steps) for part in self._parts])

    def held_out(self, split: str, n_steps: int, limit: int | None = None) -> Iterator[Chunk]:
        """The split of both tasks, as long as both last."""
        streams = [part.held_out(split, n_steps, limit) for part in self._parts]
        for chunks in zip(*streams, strict=False):
            steps = min(chunk.n_steps for chunk in chunks)
            yield self._joined([_first_steps(chunk, steps) for chunk in chunks])

    def set(self, name: str, value: Any) -> None:
        """Refuse: a joint task has no parameter that changes while it runs."""
        raise ConfigError(f"joint has no live parameter, got {name!r}.")

    def state(self) -> dict[str, Any]:
        """Both tasks' states, as JSON-able data."""
        return {"parts": [part.state() for part in self._parts]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        for part, kept in zip(self._parts, state["parts"], strict=True):
            part.load_state(kept)

    def _joined(self, chunks: list[Chunk]) -> Chunk:
        verdicts = [c.mask if c.verdict is None else c.verdict for c in chunks]
        targets = [
            _asked(chunk, labels) for chunk, labels in zip(chunks, self._labels, strict=True)
        ]
        return Chunk(
            spikes=np.concatenate([chunk.spikes for chunk in chunks], axis=2),
            target=np.concatenate(targets, axis=2),
            mask=chunks[0].mask | chunks[1].mask,
            keep=chunks[0].keep & chunks[1].keep,
            verdict=verdicts[0] | verdicts[1],
        )


def labels_of(task: Task) -> int:
    """Labels of a task: of C classes all but the first, of labels all."""
    return task.n_out if getattr(task, "several_labels", False) else task.n_out - 1


def _asked(chunk: Chunk, labels: int) -> np.ndarray:
    """The labels of each step, float32 (B, K, labels): 0, 1, or -1 where nothing is asked."""
    target = chunk.target
    if target.ndim == 2:
        target = target[..., None] == np.arange(1, labels + 1)
    return np.where(chunk.mask[..., None], target, -1.0).astype(np.float32)


def _first_steps(chunk: Chunk, steps: int) -> Chunk:
    verdict = None if chunk.verdict is None else chunk.verdict[:, :steps]
    return Chunk(
        spikes=chunk.spikes[:, :steps],
        target=chunk.target[:, :steps],
        mask=chunk.mask[:, :steps],
        keep=chunk.keep[:, :steps],
        verdict=verdict,
    )
