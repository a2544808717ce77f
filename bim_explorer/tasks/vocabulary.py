"""The characters that a text task tells apart, and text as a flat array of their numbers.

Glossary
    points    code points of a text, uint32
    counts    occurrences of every code point, int64 (N_POINTS,)
    unknown   the one symbol of all characters that are rare or not in the training text
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from bim_explorer.core.errors import DataError

#: Characters that occur less often than this in the training text are unknown.
MIN_OCCURRENCES = 5
#: Kinds of characters at the most, beside the unknown one: a symbol fits into a byte.
MAX_KINDS = 128
_N_POINTS = sys.maxunicode + 1


def count_characters(pieces: Iterable[str]) -> np.ndarray:
    """Occurrences of every code point in a text."""
    counts = np.zeros(_N_POINTS, np.int64)
    for piece in pieces:
        found = np.bincount(_points(piece))
        counts[: len(found)] += found
    return counts


def fingerprint(counts: np.ndarray) -> int:
    """A number that tells a text from nearly all others, by its counts."""
    return zlib.crc32(counts.tobytes())


class Vocabulary:
    """Numbers for characters: their place in `characters`, and `unknown` behind the last.

    Args:
        characters: The kinds that are told apart.
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self.unknown = len(characters)
        self._table = np.full(_N_POINTS, self.unknown, np.uint8)
        self._table[_points(characters)] = np.arange(len(characters))

    @classmethod
    def of(cls, counts: np.ndarray) -> Vocabulary:
        """The most frequent characters that are not rare, in the order of their code points."""
        common = np.flatnonzero(counts >= MIN_OCCURRENCES)
        kept = common[np.argsort(-counts[common], kind="stable")[:MAX_KINDS]]
        return cls("".join(map(chr, np.sort(kept))))

    def __len__(self) -> int:
        return self.unknown + 1

    def encode(self, pieces: Iterable[str]) -> np.ndarray:
        """A text as symbols, uint8 (n,), in an unnamed file that is mapped into memory.

        Raises:
            DataError: There is no room for the file.
        """
        return mapped((self._table.take(_points(piece)) for piece in pieces), np.uint8)

    def log_share(self, counts: np.ndarray) -> np.ndarray:
        """Log share of every symbol in a text with these counts (C,), each once more."""
        known = counts[_points(self.characters)]
        found = np.append(known, counts.sum() - known.sum()) + 1.0
        return np.log(found / found.sum())

    def state(self) -> dict[str, Any]:
        """The characters, as JSON-able data."""
        return {"characters": self.characters}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The vocabulary that `state` was taken of."""
        return cls(state["characters"])

    def decode(self, symbols: np.ndarray) -> str:
        """The text of symbols, with the replacement character for unknown ones."""
        kinds = self.characters + "\N{REPLACEMENT CHARACTER}"
        return "".join(kinds[symbol] for symbol in symbols)


def mapped(arrays: Iterable[np.ndarray], dtype: type[np.generic]) -> np.ndarray:
    """Arrays one behind the other (n,), in an unnamed file that is mapped into memory.

    Raises:
        DataError: There is no room for the file.
    """
    try:
        with tempfile.TemporaryFile() as file:
            for array in arrays:
                file.write(array.astype(dtype, copy=False).tobytes())
            file.flush()
            if not file.tell():
                return np.empty(0, dtype)
            return np.asarray(np.memmap(file, dtype, "r"))
    except OSError as error:
        raise DataError(
            f"text cannot be stored in {tempfile.gettempdir()}: {error.strerror}; "
            "point TMPDIR to a folder with room."
        ) from error


def _points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)
