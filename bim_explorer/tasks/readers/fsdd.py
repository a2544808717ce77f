"""Folders of spoken digits in the layout of the Free Spoken Digit Dataset.

    {digit}_{speaker}_{index}.wav        7_jackson_32.wav

Splits are by recording index, so that no recording is in two of them: indices 0-4 are the test
split, as the data set's authors have it, 5-7 validation, all others training.
Source: Jackson et al., Free Spoken Digit Dataset.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bim_explorer.core.errors import DataError

_NAME = re.compile(r"(\d)_(.+)_(\d+)\.wav", re.IGNORECASE)
TEST = range(5)
VALIDATION = range(5, 8)


@dataclass(frozen=True, slots=True, order=True)
class Recording:
    """One spoken digit.

    Attributes:
        digit: What is said, 0 … 9.
        speaker: Who says it.
        index: Number among the recordings of that digit by that speaker.
        path: The file.
    """

    digit: int
    speaker: str
    index: int
    path: Path

    @property
    def split(self) -> str:
        """The split that it is in."""
        if self.index in TEST:
            return "test"
        return "validation" if self.index in VALIDATION else "train"


def find_recordings(data: str) -> list[Recording]:
    """The recordings in a folder, or in its subfolder `recordings`, in order.

    Raises:
        DataError: It is no folder, or holds no file of such a name.
    """
    folder = Path(data).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {what}: data wants a folder of spoken digits (7_name_32.wav).")
    places = (folder, folder / "recordings")
    for place in (place for place in places if place.is_dir()):
        named = ((path, _NAME.fullmatch(path.name)) for path in place.iterdir())
        found = [
            Recording(int(match[1]), match[2], int(match[3]), path)
            for path, match in named
            if match
        ]
        if found:
            return sorted(found)
    raise DataError(f"{folder} holds no spoken digits: files are named like 7_name_32.wav.")


def by_split(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """The recordings of each split."""
    return {
        split: [recording for recording in recordings if recording.split == split]
        for split in ("train", "validation", "test")
    }
