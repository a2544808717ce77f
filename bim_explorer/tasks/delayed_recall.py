"""Delayed recall: say at the query which cue came before the distractors.

    step      0     1 … D         D + 1
    input     cue   distractors   query
    keep      0     1             1
    mask      0     0             1        target: the cue

The streams of a batch run in phase. Chance is 25 %; nothing but memory over D steps helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bim_explorer.config.config import coerce
from bim_explorer.core.errors import ConfigError, DataError, unknown_name
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.seeding import generator, generator_state, restore_generator
from bim_explorer.tasks.encoders.population import PopulationCode

N_CUES = 4
N_DISTRACTORS = 4
QUERY = N_CUES + N_DISTRACTORS
N_SYMBOLS = QUERY + 1
#: Trials of each stream in a held-out split that is read without a limit.
HELD_OUT_TRIALS = 16


class TrialStream:
    """Trials without end for a batch of streams in phase.

    Args:
        rng: Where cues and distractors are drawn from, a trial at a time.
        batch: Streams that run side by side.
    """

    def __init__(self, rng: np.random.Generator, batch: int) -> None:
        self._rng = rng
        self._batch = batch
        self._origin = generator_state(rng)
        self._trial: tuple[np.ndarray, ...] = ()
        self._length = 0
        self._position = 0

    def take(self, n_steps: int, delay: int) -> list[np.ndarray]:
        """The next steps; trials that begin in them have `delay` distractors.

        Returns:
            Symbols uint8, target int64, mask and keep bool, each (B, K).
        """
        pieces = []
        while n_steps:
            if self._position == self._length:
                self._begin(delay)
            end = min(self._position + n_steps, self._length)
            pieces.append([field[:, self._position : end] for field in self._trial])
            n_steps -= end - self._position
            self._position = end
        return [np.concatenate(field, axis=1) for field in zip(*pieces, strict=True)]

    def state(self) -> dict[str, Any]:
        """The generator before the current trial was drawn, its length, the place in it."""
        return {"generator": self._origin, "length": self._length, "position": self._position}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Draw the current trial again and go to the place in it."""
        restore_generator(self._rng, state["generator"])
        self._length = 0
        if state["length"]:
            self._begin(state["length"] - 2)
        self._position = state["position"]

    def _begin(self, delay: int) -> None:
        self._origin = generator_state(self._rng)
        cue = self._rng.integers(N_CUES, size=(self._batch, 1), dtype=np.uint8)
        distractors = self._rng.integers(N_CUES, QUERY, size=(self._batch, delay), dtype=np.uint8)
        query = np.full_like(cue, QUERY)
        symbols = np.concatenate([cue, distractors, query], axis=1)
        target = np.repeat(cue.astype(np.int64), delay + 2, axis=1)
        mask, keep = np.zeros(symbols.shape, bool), np.ones(symbols.shape, bool)
        mask[:, -1], keep[:, 0] = True, False
        self._trial = (symbols, target, mask, keep)
        self._length = delay + 2
        self._position = 0


class DelayedRecall:
    """The task of that name; see the module.

    Args:
        values: Flat values; `delay`, `batch`, `seed`, `code_size` and `code_active` are read.
    """

    name = "delayed-recall"
    title = "Delayed recall"
    synthetic = True
    reads = ""
    n_out = N_CUES
    metrics = ("accuracy",)
    live = frozenset({"delay"})

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.provenance = self.describe(values)
        self.d_in = int(values["code_size"])
        self._seed = int(values["seed"])
        self._batch = int(values["batch"])
        self._delay = int(values["delay"])
        self._code = PopulationCode(
            N_SYMBOLS, self.d_in, int(values["code_active"]), generator(self._seed, "code")
        )
        self.input_rate = self._code.rate
        self._training = TrialStream(generator(self._seed, "recall training"), self._batch)

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        return "Synthetic: trials drawn at random as the network asks for them."

    def chunk(self, n_steps: int) -> Chunk:
        """The next `n_steps` steps of every training stream."""
        return self._chunk(self._training, n_steps, self._delay)

    def held_out(self, split: str, n_steps: int, limit: int | None = None) -> Iterator[Chunk]:
        """Whole trials from generators of their own, the same at every call for a delay.

        Args:
            split: "validation" or "test".
            n_steps: Steps of a chunk; the last one may be shorter.
            limit: Steps of each stream at the most, but never less than one whole trial.

        Raises:
            DataError: There is no such split.
        """
        if split not in ("validation", "test"):
            raise DataError(unknown_name("split", split, ("validation", "test")))
        trial = self._delay + 2
        n_trials = HELD_OUT_TRIALS if limit is None else max(1, limit // trial)
        stream = TrialStream(generator(self._seed, f"recall {split}"), self._batch)
        return self._pieces(stream, n_trials * trial, n_steps, self._delay)

    def set(self, name: str, value: Any) -> None:
        """Change `delay` from the next trial on."""
        if name not in self.live:
            raise ConfigError(unknown_name("live parameter of delayed-recall", name, self.live))
        self._delay = coerce(name, value)

    def state(self) -> dict[str, Any]:
        """Delay asked for, current trial and generator, as JSON-able data."""
        return {"delay": self._delay, "training": self._training.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._delay = state["delay"]
        self._training.load_state(state["training"])

    def _pieces(self, stream: TrialStream, left: int, n_steps: int, delay: int) -> Iterator[Chunk]:
        while left:
            steps = min(n_steps, left)
            yield self._chunk(stream, steps, delay)
            left -= steps

    def _chunk(self, stream: TrialStream, n_steps: int, delay: int) -> Chunk:
        symbols, target, mask, keep = stream.take(n_steps, delay)
        return Chunk(self._code.spikes(symbols), target, mask, keep)
