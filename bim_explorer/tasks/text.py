"""Text: predict the next character, judged by bits per character on text never trained on.

The streams are those of `symbol_streams`, a symbol being a character.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bim_explorer.tasks.corpus import PARTS, Source, open_source
from bim_explorer.tasks.symbol_streams import SymbolStreams
from bim_explorer.tasks.vocabulary import Vocabulary, count_characters, fingerprint


class Text(SymbolStreams[Vocabulary]):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `batch`, `seed` and those of the code are read.

    Raises:
        DataError: Text that is missing, unreadable, or too short for that many streams.
    """

    name = "text"
    title = "Text, next character"
    unit = "characters"
    metrics = ("bits_per_character",)

    def _survey(self, pieces: Iterable[str], values: Mapping[str, Any]) -> tuple[Vocabulary, int]:
        self._counts = count_characters(pieces)
        return Vocabulary.of(self._counts), fingerprint(self._counts)

    def _prior(self, vocabulary: Vocabulary) -> np.ndarray:
        return vocabulary.log_share(self._counts)


def inspect_text(data: str) -> dict[str, Any]:
    """What a text holds: its name, the characters of each part, the kinds that are told apart.

    Raises:
        DataError: It is missing, empty, or not UTF-8.
    """
    source: Source = open_source(data)
    counts = {part: count_characters(source.parts[part]) for part in PARTS}
    return {
        "name": source.name,
        "characters": {part: int(counts[part].sum()) for part in PARTS},
        "kinds": len(Vocabulary.of(counts["train"])) - 1,
    }
