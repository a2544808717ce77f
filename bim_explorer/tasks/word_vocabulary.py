"""The words of a text, the classes that a network tells apart, and text as word numbers.

A word is what stands between white space; a line's end is the word `<eos>`. The most frequent
words are a class each. The rest share classes, one for every doubling of their count:

    p(word) = p(class) n(word) / n(class)      surcharge of a word = -log n(word) / n(class)

n counts the training text. One unknown word stands for all that the training text does not
have; it is as frequent as all words together that are there once (Good and Turing: each of them
was unknown when it came), and shares their class. So every word keeps a probability of its own,
they add up to one, and perplexity is that over V words of the training text and the unknown one.

Glossary
    number       place of a word in the order of falling counts; the unknown word's is the last
    classes      class of every number, int32 (V + 1,)
    surcharge    nats that a word costs beside its class, float32 (V + 1,)
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Self

import numpy as np

from bim_explorer.tasks.vocabulary import mapped

END_OF_LINE = "<eos>"
#: Words that are counted at the most; the rarest are forgotten where a text has more.
MAX_WORDS = 1 << 19
#: Text without white space that is longer than this is cut.
_LONGEST_WORD = 1 << 12


def words_of(pieces: Iterable[str]) -> Iterator[list[str]]:
    """The words of a text in order, a list for each piece; no word is torn between two."""
    rest = ""
    for piece in pieces:
        text = rest + piece
        end = max(text.rfind(" "), text.rfind("\n")) + 1
        end = end if len(text) - end <= _LONGEST_WORD else len(text)
        rest = text[end:]
        yield _split(text[:end])
    yield _split(rest)


def count_words(pieces: Iterable[str]) -> Counter[str]:
    """Occurrences of every word; those of the rarest are lost where there are too many."""
    counts: Counter[str] = Counter()
    for words in words_of(pieces):
        counts.update(words)
        while len(counts) > MAX_WORDS:
            least = min(counts.values())
            counts = Counter({word: n for word, n in counts.items() if n > least})
    return counts


class WordVocabulary:
    """Numbers and classes for words.

    Args:
        words: Words by falling count.
        counts: Occurrences of each.
        kept: How many of them are a class each.
    """

    def __init__(self, words: list[str], counts: list[int], kept: int) -> None:
        self.words = words
        self.kept = min(kept, len(words))
        self.unknown = len(words)
        self._counts = counts
        self._numbers = {word: number for number, word in enumerate(words)}
        found = np.array([*counts, max(counts.count(1), 1)], np.int64)
        doublings = np.log2([*counts[self.kept :], 1]).astype(np.int64)
        _, shared = np.unique(-doublings, return_inverse=True)
        self.classes = np.concatenate([np.arange(self.kept), self.kept + shared]).astype(np.int32)
        self._of_class = np.bincount(self.classes, weights=found)
        shares = found / self._of_class[self.classes]
        self.surcharge = -np.log(shares).astype(np.float32)

    @classmethod
    def of(cls, counts: Mapping[str, int], kept: int) -> Self:
        """The words of a text, those of equal count in the order of their code points."""
        ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return cls([word for word, _ in ordered], [n for _, n in ordered], kept)

    def __len__(self) -> int:
        """Classes, the shared ones with them."""
        return len(self._of_class)

    def encode(self, pieces: Iterable[str]) -> np.ndarray:
        """A text as word numbers, int32 (n,), in an unnamed file that is mapped into memory.

        Raises:
            DataError: There is no room for the file.
        """
        number, unknown = self._numbers.get, self.unknown
        lists = ([number(word, unknown) for word in words] for words in words_of(pieces))
        return mapped((np.array(numbers, np.int32) for numbers in lists), np.int32)

    def log_share(self) -> np.ndarray:
        """Log share of every class in the training text (C,)."""
        return np.log(self._of_class / self._of_class.sum())

    def state(self) -> dict[str, Any]:
        """Words, how many have which count, and how many are told apart, as JSON-able data."""
        runs = [[count, len(list(run))] for count, run in groupby(self._counts)]
        return {"words": " ".join(self.words), "counts": runs, "kept": self.kept}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The vocabulary that `state` was taken of."""
        counts = [count for count, n in state["counts"] for _ in range(n)]
        return cls(state["words"].split(), counts, state["kept"])

    def fingerprint(self) -> int:
        """A number that tells the training text from nearly all others, by its counts."""
        return zlib.crc32(repr((self.words, self._counts)).encode())


def _split(text: str) -> list[str]:
    return text.replace("\n", f" {END_OF_LINE} ").split()
