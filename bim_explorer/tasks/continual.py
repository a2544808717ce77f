"""Continual learning: one task, then another in the same network, and what is kept of the first.

    input     the channels of both tasks side by side; those of the task that rests are silent
    classes   those of both, one behind the other: nothing but its input tells which task it is

`phase` chooses live which of the two is learned. While the second is, the held-out data of the
first go on being scored: the retention curve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bim_explorer.core.errors import ConfigError, unknown_name
from bim_explorer.core.interfaces import Chunk, Task
from bim_explorer.tasks.pair import build_parts, told


class Continual:
    """The task of that name; see the module.

    Args:
        values: Flat values; `first`, `second` and `phase` are read, the rest goes to both tasks.

    Raises:
        ConfigError: The two are the same, or not two tasks on their own.
    """

    name = "continual"
    title = "Continual: one task, then another"
    synthetic = True
    reads = ""
    metrics = ("accuracy",)
    live = frozenset({"phase"})
    judged = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        first, second = build_parts(values)
        self.provenance = self.describe(values)
        self.synthetic = first.synthetic or second.synthetic
        self._phase = str(values["phase"])
        self._parts: dict[str, Task] = {"first": first, "second": second}
        self.d_in, self.n_out = first.d_in + second.d_in, first.n_out + second.n_out
        spikes = [part.d_in * part.input_rate for part in self._parts.values()]
        self.input_rate = sum(spikes) / 2 / self.d_in
        self._fresh = False

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        first, second = told(values)
        return f"First {first}, then {second}."

    def chunk(self, n_steps: int) -> Chunk:
        """The next `n_steps` steps of the task in phase; after a switch its streams begin anew."""
        chunk = self._widened(self._phase, self._parts[self._phase].chunk(n_steps))
        if self._fresh:
            chunk.keep[:, 0] = False
            self._fresh = False
        return chunk

    def held_out(self, split: str, n_steps: int, limit: int | None = None) -> Iterator[Chunk]:
        """The split of the task in phase."""
        return self._scored(self._phase, split, n_steps, limit)

    def retained(self, n_steps: int, limit: int | None = None) -> Iterator[Chunk] | None:
        """The first task's validation split while the second is learned; None before."""
        if self._phase == "first":
            return None
        return self._scored("first", "validation", n_steps, limit)

    def set(self, name: str, value: Any) -> None:
        """Change `phase` from the next chunk on."""
        if name not in self.live:
            raise ConfigError(unknown_name("live parameter of continual", name, self.live))
        self._fresh = value != self._phase
        self._phase = str(value)

    def state(self) -> dict[str, Any]:
        """Phase and both tasks' states, as JSON-able data."""
        parts = {phase: part.state() for phase, part in self._parts.items()}
        return {"phase": self._phase, "fresh": self._fresh, "parts": parts}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._phase, self._fresh = state["phase"], state["fresh"]
        for phase, part in self._parts.items():
            part.load_state(state["parts"][phase])

    def _scored(self, phase: str, split: str, n_steps: int, limit: int | None) -> Iterator[Chunk]:
        for chunk in self._parts[phase].held_out(split, n_steps, limit):
            yield self._widened(phase, chunk)

    def _widened(self, phase: str, chunk: Chunk) -> Chunk:
        """A part's chunk among the channels and classes of both."""
        if chunk.target.ndim != 2:
            task = self._parts[phase].name
            raise ConfigError(f"continual takes tasks with one class a step, which {task} is not.")
        first = self._parts["first"]
        channel, label = (0, 0) if phase == "first" else (first.d_in, first.n_out)
        spikes = np.zeros((*chunk.spikes.shape[:2], self.d_in), np.uint8)
        spikes[:, :, channel : channel + chunk.spikes.shape[2]] = chunk.spikes
        verdict = chunk.mask if chunk.verdict is None else chunk.verdict
        return Chunk(spikes, chunk.target + label, chunk.mask, chunk.keep.copy(), verdict)
