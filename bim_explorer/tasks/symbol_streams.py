"""Streams of symbols, characters or words: predict the next one at every step.

    input at t     population codes of symbols t, t-1, … t-n+1 of the stream, n = `code_context`
    target at t    symbol t + 1, asked for at every step

Each of the n codes has `code_size` neurons of its own, so M = n × `code_size`: a spiking delay
line, axons that bring a symbol's spikes once more 1, 2, … n-1 steps later. Axons are silent
where the stream has not begun. In training each symbol in view is lost with the chance
`code_failure`, anew at every step, as synapses fail: what is learned then leans on all of them,
and a text that is read again and again is learned less by heart.

Training streams are B contiguous segments of the training part, side by side; a stream that
has reached its segment's end begins it anew (keep 0). Held-out parts are read once, alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from bim_explorer.core.errors import ConfigError, DataError, unknown_name
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.seeding import generator, seed_of
from bim_explorer.tasks import manual
from bim_explorer.tasks.corpus import PARTS, open_source
from bim_explorer.tasks.encoders.population import PopulationCode

#: Numbers that Philox makes of one count.
_DRAWS_AT_ONCE = 4

READS = "a UTF-8 text file, or a folder in WikiText's layout (wiki.train.tokens, …)"


class Symbols(Protocol):
    """A vocabulary: which symbols are told apart, and text as their numbers."""

    def __len__(self) -> int: ...

    def encode(self, pieces: Iterable[str]) -> np.ndarray:
        """A text as symbols (n,), mapped from an unnamed file.

        Raises:
            DataError: There is no room for the file.
        """
        ...

    def state(self) -> dict[str, Any]:
        """What it is, as JSON-able data."""
        ...

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The vocabulary that `state` was taken of."""
        ...


V = TypeVar("V", bound=Symbols)


class Segments:
    """B contiguous segments of equal length of a text, read side by side.

    Args:
        symbols: The text (n,), with n > B.
        batch: Segments B.
    """

    def __init__(self, symbols: np.ndarray, batch: int) -> None:
        self._symbols = symbols
        self.length = (len(symbols) - 1) // batch
        self._starts = self.length * np.arange(batch)[:, None]

    def read(self, position: int, n_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Steps from `position` on, going round at the end.

        Returns:
            Symbols (B, K), the symbols that follow them (B, K), and keep, bool (K,).
        """
        place = self._places(position, n_steps)
        index = self._starts + place
        return self._symbols[index], self._symbols[index + 1], place != 0

    def earlier(self, position: int, n_steps: int, delay: int) -> tuple[np.ndarray, np.ndarray]:
        """What those steps' streams read `delay` steps before.

        Returns:
            Symbols (B, K), and whether the stream had begun by then, bool (K,).
        """
        place = self._places(position, n_steps) - delay
        return self._symbols[self._starts + np.maximum(place, 0)], place >= 0

    def _places(self, position: int, n_steps: int) -> np.ndarray:
        return (position + np.arange(n_steps)) % self.length


class SymbolStreams(ABC, Generic[V]):
    """Base of the tasks on text. A subclass says what a symbol is.

    Args:
        values: Flat values; `data`, `batch`, `seed` and those of the code are read.

    Attributes:
        prior: Log probability of every symbol in the training part, for the readout's first bias.

    Raises:
        DataError: Text that is missing, unreadable, or too short for that many streams.
    """

    name: str
    #: What it counts, in messages.
    unit: str
    synthetic = False
    reads = READS
    live: frozenset[str] = frozenset()
    #: Steps of each stream that a validation while training reads at the most.
    validation_steps = 512

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.provenance = self.describe(values)
        self._context = int(values["code_context"])
        self.d_in = int(values["code_size"]) * self._context
        self._failure = float(values["code_failure"])
        self._active = int(values["code_active"])
        self._seed = int(values["seed"])
        self._batch = int(values["batch"])
        self._data = str(values["data"])
        self._source = open_source(self._data)
        self._position = 0
        vocabulary, self._fingerprint = self._survey(self._source.parts["train"], values)
        self._adopt(vocabulary)

    @abstractmethod
    def _survey(self, pieces: Iterable[str], values: Mapping[str, Any]) -> tuple[V, int]:
        """The vocabulary of a training text, and a number that tells the text from others."""

    @abstractmethod
    def _prior(self, vocabulary: V) -> np.ndarray:
        """Log probability of every symbol in the training text (C,)."""

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        if values["data"]:
            return f"Real text, read from {Path(values['data']).name}."
        return manual.PROVENANCE

    @property
    def vocabulary(self) -> V:
        """The symbols that are told apart."""
        return self._vocabulary

    def chunk(self, n_steps: int) -> Chunk:
        """The next `n_steps` steps of every training stream."""
        chunk = self._chunk(self._segments["train"], self._position, n_steps)
        if self._failure:
            groups = chunk.spikes.reshape(self._batch, n_steps, self._context, -1)
            groups *= self._arrives(self._position, n_steps)[..., None]
        self._position += n_steps
        return chunk

    def held_out(self, split: str, n_steps: int, limit: int | None = None) -> Iterator[Chunk]:
        """The split in as many segments as there are streams, once, from their starts.

        Args:
            split: "validation" or "test".
            n_steps: Steps of a chunk; the last one may be shorter.
            limit: Steps of each stream at the most; None for the whole split.

        Raises:
            DataError: There is no such split.
        """
        if split not in PARTS[1:]:
            raise DataError(unknown_name("split", split, PARTS[1:]))
        segments = self._segments[split]
        end = segments.length if limit is None else min(limit, segments.length)
        return (
            self._chunk(segments, start, min(n_steps, end - start))
            for start in range(0, end, n_steps)
        )

    def set(self, name: str, value: Any) -> None:
        """Refuse: text has no parameter that changes while it runs."""
        raise ConfigError(f"{self.name} has no live parameter, got {name!r}.")

    def state(self) -> dict[str, Any]:
        """Vocabulary, text and place in it, as JSON-able data."""
        return {
            **self._vocabulary.state(),
            "data": self._data,
            "fingerprint": self._fingerprint,
            "position": self._position,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over the vocabulary, and the place in the text where it is the same text.

        A state from another `data` setting brings its vocabulary alone: a trained network is
        evaluated on another text so.

        Raises:
            DataError: The text of the same `data` setting has changed.
        """
        same = state["data"] == self._data
        if same and state["fingerprint"] != self._fingerprint:
            raise DataError(
                f"{self._source.name} is not the text that this run was trained on; "
                "bring that one back, or start a new run."
            )
        self._position = state["position"] if same else 0
        vocabulary = type(self._vocabulary).from_state(state)
        if vocabulary.state() != self._vocabulary.state():
            self._adopt(vocabulary)

    def _adopt(self, vocabulary: V) -> None:
        self._vocabulary = vocabulary
        self.n_out = len(vocabulary)
        self.prior = self._prior(vocabulary)
        self._code = PopulationCode(
            self.n_out,
            self.d_in // self._context,
            self._active,
            generator(self._seed, "code"),
        )
        self.input_rate = self._code.rate
        self._segments = {part: self._segmented(part) for part in PARTS}

    def _segmented(self, part: str) -> Segments:
        symbols = self._vocabulary.encode(self._source.parts[part])
        if len(symbols) <= self._batch:
            raise DataError(
                f"the {part} part of {self._source.name} has {len(symbols)} {self.unit}, too few "
                f"for {self._batch} streams: give a longer text or lower batch."
            )
        return Segments(symbols, self._batch)

    def _arrives(self, position: int, n_steps: int) -> np.ndarray:
        """Which symbols in view get through, bool (B, K, n): drawn by place, whatever the chunk."""
        drawn = -(-self._batch * self._context // _DRAWS_AT_ONCE) * _DRAWS_AT_ONCE
        chance = np.random.Philox(seed_of(self._seed, "failure"))
        chance.advance(position * drawn // _DRAWS_AT_ONCE)
        draws = chance.random_raw(n_steps * drawn).reshape(n_steps, drawn)
        lost = draws[:, : self._batch * self._context] < np.uint64(self._failure * 2.0**64)
        return ~lost.reshape(n_steps, self._batch, self._context).swapaxes(0, 1)

    def _numbers(self, symbols: np.ndarray) -> np.ndarray:
        """What the population code knows the symbols as."""
        return symbols

    def _spikes(self, segments: Segments, position: int, n_steps: int) -> np.ndarray:
        groups = []
        for delay in range(self._context):
            symbols, begun = segments.earlier(position, n_steps, delay)
            groups.append(self._code.spikes(self._numbers(symbols)) * begun[:, None])
        return np.concatenate(groups, axis=-1)

    def _chunk(self, segments: Segments, position: int, n_steps: int) -> Chunk:
        symbols, following, keep = segments.read(position, n_steps)
        return Chunk(
            spikes=self._spikes(segments, position, n_steps),
            target=following.astype(np.int64),
            mask=np.ones(symbols.shape, bool),
            keep=np.repeat(keep[None], self._batch, axis=0),
        )
