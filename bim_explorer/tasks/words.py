"""Words: predict the next word of a text, judged by perplexity on text never trained on.

The streams are those of `symbol_streams`, a symbol being a word: `vocabulary` of them are told
apart, the others share classes and cost a surcharge (see `word_vocabulary`). So perplexity is
that over all words of the training text and one unknown word, every word of the held-out text
counted, line ends too. The data's own `<unk>` is a word like any other.

To compare: how often the unknown word is expected moves perplexity a lot. On the WikiText part
of the tests a Witten-Bell bigram has 342 (validation) and 307 (test) with the unknown word as
here, and 608 and 466 where nothing but its smoothing speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bim_explorer.core.interfaces import Chunk
from bim_explorer.tasks.symbol_streams import Segments, SymbolStreams
from bim_explorer.tasks.word_vocabulary import WordVocabulary, count_words


class Words(SymbolStreams[WordVocabulary]):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `batch`, `seed`, `vocabulary` and those of the code are read.

    Raises:
        DataError: Text that is missing, unreadable, or too short for that many streams.
    """

    name = "words"
    title = "Words, next word"
    unit = "words"
    metrics = ("perplexity",)

    def _survey(
        self, pieces: Iterable[str], values: Mapping[str, Any]
    ) -> tuple[WordVocabulary, int]:
        vocabulary = WordVocabulary.of(count_words(pieces), int(values["vocabulary"]))
        return vocabulary, vocabulary.fingerprint()

    def _prior(self, vocabulary: WordVocabulary) -> np.ndarray:
        return vocabulary.log_share()

    def _numbers(self, symbols: np.ndarray) -> np.ndarray:
        return self._vocabulary.classes[symbols]

    def _chunk(self, segments: Segments, position: int, n_steps: int) -> Chunk:
        words, following, keep = segments.read(position, n_steps)
        return Chunk(
            spikes=self._spikes(segments, position, n_steps),
            target=self._vocabulary.classes[following].astype(np.int64),
            mask=np.ones(words.shape, bool),
            keep=np.repeat(keep[None], self._batch, axis=0),
            surcharge=self._vocabulary.surcharge[following],
        )
