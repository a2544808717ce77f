"""LibriSpeech: the characters of read sentences, step by step as they are spoken.

    target at t    the character that is being said, or blank (class 0)

Nobody has written down when each character is said, so the targets are an alignment that stays
local in time (`alignment`): an utterance's characters lie over its voiced steps in order, each near
its place when spread evenly, drawn to steps that sound like its kind. What a step is asked for then
needs no model and is about what is heard at that moment; a loss over all alignments of a whole
utterance (CTC) would make every step wait for its end. It is rough: characters are off by a few
steps, and English spelling is not its sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.alignment import align
from bim_explorer.tasks.readers.librispeech import Utterance, by_split, find_utterances
from bim_explorer.tasks.record import Record
from bim_explorer.tasks.speech import SpeechTask
from bim_explorer.tasks.synthetic import spelling

CHARACTERS = " 'ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class LibriSpeech(SpeechTask):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `dt_ms`, `batch`, `seed` and the encoder's are read.
    """

    name = "librispeech"
    title = "LibriSpeech, characters"
    reads = "a folder in LibriSpeech's layout (FLAC files and *.trans.txt)"
    metrics = ("character_error_rate", "word_error_rate")
    n_out = len(CHARACTERS) + 1
    #: Text of each class.
    symbols = ("", *CHARACTERS)

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        if values["data"]:
            return f"Real speech: read sentences, from {Path(values['data']).name}."
        return spelling.PROVENANCE

    @classmethod
    def make(cls, folder: Path, seed: int) -> None:
        """Write a synthetic set in LibriSpeech's layout into a folder."""
        spelling.write_sentences(folder, seed)

    @classmethod
    def files(cls, path: str) -> Mapping[str, Sequence[Path]]:
        """The sound files of each split below a folder.

        Raises:
            DataError: It is not in LibriSpeech's layout.
        """
        splits = by_split(find_utterances(path))
        return {split: [u.path for u in utterances] for split, utterances in splits.items()}

    def sources(self) -> list[Path]:
        """The files of the training split."""
        return [utterance.path for utterance in self._splits["train"]]

    def load(self, reference: Utterance) -> Record:
        """Read an utterance.

        Raises:
            DataError: The file cannot be read as sound, or is too short for what is said.
        """
        heard = self.unscaled(reference.path)
        text = spoken(reference.text)
        target = align(text, classes(text), heard, self._dt_ms)
        if target is None:
            raise DataError(
                f"{reference.path} has {len(heard)} steps, too few for the characters of its "
                "transcript: lower dt_ms or remove it."
            )
        verdict = np.zeros(len(target), bool)
        verdict[-1] = True
        return Record(self.scale(heard), target, np.ones(len(target), bool), verdict)

    def _open(self, values: Mapping[str, Any]) -> Mapping[str, Sequence[Utterance]]:
        return by_split(find_utterances(values["data"] or str(spelling.read_sentences())))


def spoken(text: str) -> str:
    """The characters that are told apart; what is no letter, apostrophe or space is left out."""
    return " ".join("".join(c for c in text.upper() if c in CHARACTERS).split())


def classes(text: str) -> np.ndarray:
    """Class of each character of a spoken text, int64 (n,)."""
    return np.array([CHARACTERS.index(character) + 1 for character in text], np.int64)
