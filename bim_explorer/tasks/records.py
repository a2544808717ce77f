"""Tasks on records of signals: recordings, utterances, windows; streamed one after the other.

    references ── load ──▶ Record ── encoder ──▶ spikes ── B streams side by side ──▶ chunks

A training stream that has come to its record's end takes the next one that it was dealt of a
shuffled order, anew for every epoch, and begins it anew (keep 0): what a stream plays depends on
no other stream and on no chunk. A record that cannot be read is left out and complained about
once. A subclass says which records there are and how one is read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import ConfigError, DataError, unknown_name
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.seeding import generator
from bim_explorer.tasks.encoders import ENCODERS
from bim_explorer.tasks.record import Playing, Record, Row, joined, stacked

__all__ = ["Record", "RecordTask", "sources_of"]

#: Bytes of decoded signals that are kept for the next time they come.
CACHE_BYTES = 96 << 20
#: Steps of each stream that a validation while training reads at the most.
VALIDATION_STEPS = 4096


class RecordTask(ABC):
    """Base of the tasks on records.

    Args:
        values: Flat values; `batch`, `seed`, `data` and the encoder's are read.

    Attributes:
        data: What was asked to be read; empty for the built-in data.
        complaints: A sentence for each record that could not be read, or not wholly.

    Raises:
        DataError: There is no record at all.
    """

    name: str
    title: str
    synthetic: bool
    reads: str
    metrics: tuple[str, ...]
    n_out: int
    channels: int
    #: Encoder that "auto" stands for.
    own_encoder = "send-on-delta"
    live: frozenset[str] = frozenset()
    #: Whether metrics are read of records; each step is judged by itself otherwise.
    judged = True
    #: Whether a record can have several labels at once.
    several_labels = False
    validation_steps = VALIDATION_STEPS

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.synthetic = not values["data"]
        self.provenance = self.describe(values)
        self.complaints: list[str] = []
        self._seed, self._batch = int(values["seed"]), int(values["batch"])
        self.data = str(values["data"])
        self._splits = self._open(values)
        if not any(self._splits.values()):
            raise DataError(f"{self.data or self.title} has no record in it.")
        encoder = ENCODERS.load(
            self.own_encoder if values["encoder"] == "auto" else values["encoder"]
        )
        self._encoder = encoder(self.channels, values, generator(self._seed, "code"))
        self.d_in, self.input_rate = self._encoder.size, self._encoder.rate
        self._cache: OrderedDict[Any, Record] = OrderedDict()
        self._cached = 0
        self._unreadable: set[Any] = set()
        self._next = list(range(self._batch))
        self._streams: list[Playing | None] = [None] * self._batch

    @classmethod
    @abstractmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""

    @abstractmethod
    def _open(self, values: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
        """References to the records, cheap and hashable, by split.

        The splits are "train", "validation", "test", and "rest" for what a training split that is
        balanced leaves out.
        """

    @abstractmethod
    def load(self, reference: Any) -> Record:
        """Read a record.

        Raises:
            DataError: It cannot be read; the stream goes on with another.
        """

    def vary(self, record: Record, rng: np.random.Generator) -> Record:
        """A training record as it is played this time; held-out ones are played as they are."""
        return record

    def chunk(self, n_steps: int) -> Chunk:
        """The next `n_steps` steps of every training stream."""
        return stacked([self._play(stream, n_steps) for stream in range(self._batch)])

    def held_out(self, split: str, n_steps: int, limit: int | None = None) -> Iterator[Chunk]:
        """The records of a split, dealt to as many streams as there are in training.

        Args:
            split: "validation" or "test".
            n_steps: Steps of a chunk.
            limit: No stream begins another record after so many steps; None for all records.

        Raises:
            DataError: There is no such split, or nothing in it.
        """
        if split not in ("validation", "test"):
            raise DataError(unknown_name("split", split, ("validation", "test")))
        if not self._splits.get(split):
            raise DataError(f"{self.data or self.title} has no record in the {split} split.")
        return self._held_out(self._splits[split], n_steps, limit)

    def sample(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Signal (T, channels) and spikes (T, M) of the record that stream 0 is in, if any."""
        playing = self._streams[0]
        return (playing.record.signal, playing.spikes) if playing else None

    def has(self, split: str) -> bool:
        """Whether there are records in a split."""
        return bool(self._splits.get(split))

    def used(self) -> set[str]:
        """Names of the files that training and validation read."""
        references = (r for split in ("train", "validation") for r in self._splits.get(split, ()))
        return set(chain.from_iterable(map(sources_of, references)))

    def unseen(self, seen: set[str], n_steps: int) -> Iterator[Chunk]:
        """All records of all splits that are not read from a file of one of these names.

        Raises:
            DataError: There is none.
        """
        references = dict.fromkeys(chain.from_iterable(self._splits.values()))
        new = [reference for reference in references if not seen & {*sources_of(reference)}]
        if not new:
            raise DataError(f"{self.data or self.title} has no record that the run has not seen.")
        return self._held_out(new, n_steps, None)

    def _held_out(
        self, references: Sequence[Any], n_steps: int, limit: int | None
    ) -> Iterator[Chunk]:
        streams = [
            _Queue(self, references[stream :: self._batch], limit) for stream in range(self._batch)
        ]
        while True:
            rows = [queue.take(n_steps) for queue in streams]
            if all(row is None for row in rows):
                return
            shape = next(row for row in rows if row is not None)
            yield stacked([shape.silence(n_steps) if row is None else row for row in rows])

    def set(self, name: str, value: Any) -> None:
        """Refuse: a task on records has no parameter that changes while it runs."""
        raise ConfigError(f"{self.name} has no live parameter, got {name!r}.")

    def state(self) -> dict[str, Any]:
        """Which record every stream is in, and where, as JSON-able data."""
        streams = [[p.number, p.position] if p else None for p in self._streams]
        return {"data": self.data, "next": self._next, "streams": streams}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken; from its beginning where it was other data."""
        if state["data"] != self.data:
            return
        self._next = list(state["next"])
        for stream, place in enumerate(state["streams"]):
            playing = self._playing(place[0]) if place else None
            if playing and place:
                playing.position = place[1]
            self._streams[stream] = playing

    def encoded(
        self, reference: Any, name: str, *, vary: bool = False
    ) -> tuple[np.ndarray, Record] | None:
        """A record's spikes (T, M) and itself; None where it cannot be read.

        Args:
            reference: Which record.
            name: Name of the generator for encoders that draw.
            vary: Whether it is to be varied first.
        """
        if reference in self._unreadable:
            return None
        try:
            record = self._read(reference)
        except DataError as error:
            self._unreadable.add(reference)
            self.complaints.append(str(error))
            return None
        rng = generator(self._seed, name)
        record = self.vary(record, rng) if vary else record
        return self._encoder.encode(record.signal, rng), record

    def _read(self, reference: Any) -> Record:
        record = self._cache.pop(reference, None)
        if record is None:
            record = self.load(reference)
            self._cached += record.signal.nbytes
        self._cache[reference] = record
        while self._cached > CACHE_BYTES and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached -= oldest.signal.nbytes
        return record

    def _play(self, stream: int, n_steps: int) -> Row:
        pieces, left = [], n_steps
        while left:
            playing = self._streams[stream]
            if playing is None or not playing.left:
                playing = self._streams[stream] = self._deal(stream)
            pieces.append(Row.of(playing, min(left, playing.left)))
            left -= len(pieces[-1].mask)
        return joined(pieces)

    def _deal(self, stream: int) -> Playing:
        if not self._splits["train"]:
            raise DataError(f"{self.data or self.title} has no record to train on.")
        for _ in range(len(self._splits["train"])):
            playing = self._playing(self._next[stream])
            self._next[stream] += self._batch
            if playing is not None:
                return playing
        raise DataError(f"none of the training records can be read: {self.complaints[-1]}")

    def _playing(self, number: int) -> Playing | None:
        references = self._splits["train"]
        epoch, place = divmod(number, len(references))
        order = generator(self._seed, f"order {epoch}").permutation(len(references))
        found = self.encoded(references[order[place]], f"encode {number}", vary=True)
        return Playing(number, *found) if found and len(found[0]) else None


def sources_of(reference: Any) -> list[str]:
    """Names of the files that a reference is read from."""
    parts = getattr(reference, "recordings", None) or [getattr(reference, "recording", reference)]
    return [Path(getattr(part, "path", str(part))).name for part in parts]


class _Queue:
    """The held-out records of one stream, silence behind the last."""

    def __init__(self, task: RecordTask, references: Sequence[Any], limit: int | None) -> None:
        self._task, self._limit = task, limit
        self._references = iter(references)
        self._playing: Playing | None = None
        self._played = 0

    def take(self, n_steps: int) -> Row | None:
        """The next steps, filled up with silence; None when there is no record left."""
        pieces, left = [], n_steps
        while left and self._advance():
            assert self._playing is not None
            pieces.append(Row.of(self._playing, min(left, self._playing.left)))
            left -= len(pieces[-1].mask)
        self._played += n_steps - left
        if not pieces:
            return None
        return joined([*pieces, pieces[0].silence(left)] if left else pieces)

    def _advance(self) -> bool:
        while self._playing is None or not self._playing.left:
            if self._limit is not None and self._played >= self._limit:
                return False
            reference = next(self._references, None)
            if reference is None:
                return False
            found = self._task.encoded(reference, f"held out {reference}")
            self._playing = Playing(0, *found) if found else None
        return True
