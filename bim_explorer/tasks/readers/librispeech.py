"""Folders in the layout of LibriSpeech: FLAC files, and a transcript for each chapter.

    LibriSpeech/{subset}/{speaker}/{chapter}/{speaker}-{chapter}-{number}.flac
    LibriSpeech/{subset}/{speaker}/{chapter}/{speaker}-{chapter}.trans.txt     a line an utterance

No speaker is in two splits. Subsets train-*, dev-* and test-* are training, validation and test
where there are training and validation subsets; otherwise every speaker of the folder is put
into one of the splits, by a fixed shuffle: a seventh each to validation and test, one at least.
Source: Panayotov et al. 2015, openslr.org/12.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bim_explorer.core.errors import DataError

_SUBSETS = {"train": "train", "dev": "validation", "test": "test"}
_SHARE = 7


@dataclass(frozen=True, slots=True, order=True)
class Utterance:
    """One utterance.

    Attributes:
        path: The FLAC file.
        text: What is said, in capitals.
    """

    path: Path
    text: str

    @property
    def speaker(self) -> str:
        """Who says it."""
        return self.path.stem.split("-")[0]

    @property
    def subset(self) -> str:
        """First part of the subset's name: train, dev, test, or something else."""
        return self.path.parts[-4].split("-")[0] if len(self.path.parts) > 3 else ""


def find_utterances(data: str) -> list[Utterance]:
    """All utterances that are written down anywhere below a folder, in order.

    Raises:
        DataError: It is no folder, holds no transcripts, or one of them cannot be read.
    """
    folder = Path(data).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {what}: data wants a folder in LibriSpeech's layout.")
    found = [u for path in sorted(folder.rglob("*.trans.txt")) for u in read_transcript(path)]
    if not found:
        raise DataError(
            f"{folder} holds no *.trans.txt with utterances: give a folder in LibriSpeech's layout."
        )
    return found


def read_transcript(path: Path) -> list[Utterance]:
    """The utterances of a chapter.

    Raises:
        DataError: It is no UTF-8 text, empty, or a line lacks its name or its words.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: fetch it again.") from error
    if not lines:
        raise DataError(f"{path} is empty: remove it or fetch it again.")
    utterances = []
    for number, line in enumerate(lines, start=1):
        name, _, text = line.partition(" ")
        if not text.strip() or not name.startswith(path.name.removesuffix(".trans.txt")):
            raise DataError(
                f"line {number} of {path} is no utterance: it wants the name of one, then words."
            )
        utterances.append(Utterance(path.parent / f"{name}.flac", text.strip().upper()))
    return utterances


def by_split(utterances: Sequence[Utterance]) -> dict[str, list[Utterance]]:
    """The utterances of each split."""
    if {"train", "dev"} <= {utterance.subset for utterance in utterances}:
        split_of = {u.speaker: _SUBSETS.get(u.subset, "train") for u in utterances}
    else:
        split_of = _dealt({utterance.speaker for utterance in utterances})
    return {
        split: [u for u in utterances if split_of[u.speaker] == split]
        for split in ("train", "validation", "test")
    }


def _dealt(speakers: set[str]) -> dict[str, str]:
    order = sorted(speakers, key=lambda speaker: (zlib.crc32(speaker.encode()), speaker))
    share = max(len(order) // _SHARE, 1)
    splits = ["validation"] * share + ["test"] * share
    splits += ["train"] * max(len(order) - len(splits), 0)
    return dict(zip(order, splits, strict=False))
