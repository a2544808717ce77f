"""A record of signals, and the steps of one stream that are cut from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bim_explorer.core.interfaces import Chunk


@dataclass(frozen=True, slots=True)
class Record:
    """One record at the step rate, T steps.

    Attributes:
        signal: Standardised channels, float32 (T, channels).
        target: Class of each step, int64 (T,), or 0 or 1 for each label, float32 (T, C).
        mask: Steps at which the loss is read, bool (T,).
        verdict: Steps at which a judgement on what was heard since the last one is read, bool (T,).
    """

    signal: np.ndarray
    target: np.ndarray
    mask: np.ndarray
    verdict: np.ndarray


@dataclass(slots=True)
class Playing:
    """A record that a stream is in: its spikes, and the step to play next."""

    number: int
    spikes: np.ndarray
    record: Record
    position: int = 0

    @property
    def left(self) -> int:
        """Steps to its end."""
        return len(self.spikes) - self.position


@dataclass(frozen=True, slots=True)
class Row:
    """Some steps of one stream; the fields are those of a chunk."""

    spikes: np.ndarray
    target: np.ndarray
    mask: np.ndarray
    keep: np.ndarray
    verdict: np.ndarray

    @classmethod
    def of(cls, playing: Playing, n_steps: int) -> Row:
        """The next steps of a record, which moves on."""
        record, start = playing.record, playing.position
        span = slice(start, start + n_steps)
        keep = np.arange(start, start + n_steps) > 0
        playing.position += n_steps
        fields = (record.target, record.mask, record.verdict)
        target, mask, verdict = (field[span] for field in fields)
        return cls(playing.spikes[span], target, mask, keep, verdict)

    def silence(self, n_steps: int) -> Row:
        """So many steps of nothing, shaped like this row."""
        fields = (self.spikes, self.target, self.mask, self.keep, self.verdict)
        return Row(*(np.zeros((n_steps, *field.shape[1:]), field.dtype) for field in fields))


def joined(rows: Sequence[Row]) -> Row:
    """Rows one after the other."""
    if len(rows) == 1:
        return rows[0]
    fields = ("spikes", "target", "mask", "keep", "verdict")
    return Row(*(np.concatenate([getattr(row, field) for row in rows]) for field in fields))


def stacked(rows: Sequence[Row]) -> Chunk:
    """The rows of all streams as a chunk."""
    fields = ("spikes", "target", "mask", "keep", "verdict")
    return Chunk(*(np.stack([getattr(row, field) for row in rows]) for field in fields))
