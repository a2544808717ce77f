"""Where text comes from: a file, a folder in WikiText's layout, or the embedded manual.

A source has three parts, `train`, `validation` and `test`. Each part is read anew at every
iteration, a block at a time, so a text of any size passes through little memory.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bim_explorer.core.errors import DataError
from bim_explorer.tasks import manual

#: The parts of a text, in the order they lie in a file.
PARTS = ("train", "validation", "test")
#: Share of a file's bytes at which validation and test begin.
_BORDERS = (0.8, 0.9)
_BLOCK = 1 << 20
#: A line longer than this is cut at a character instead of its end.
_LONGEST_LINE = 1 << 16
_WIKITEXT = {"train": "wiki.train", "validation": "wiki.valid", "test": "wiki.test"}
_SUFFIXES = (".tokens", ".raw")


@dataclass(frozen=True, slots=True)
class Source:
    """A text in three parts.

    Attributes:
        name: What messages call it.
        parts: Pieces of text of each part, in order, readable again and again.
    """

    name: str
    parts: Mapping[str, Iterable[str]]


@dataclass(frozen=True, slots=True)
class FilePart:
    """The text between two byte positions of a UTF-8 file."""

    path: Path
    begin: int
    end: int

    def __iter__(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        with _opened(self.path) as file:
            file.seek(self.begin)
            while file.tell() < self.end:
                block = file.read(min(_BLOCK, self.end - file.tell()))
                if not block:
                    raise DataError(f"{self.path} became shorter while it was read.")
                try:
                    yield decoder.decode(block, final=file.tell() == self.end)
                except UnicodeDecodeError as error:
                    raise self._fault(error, file.tell()) from error

    def _fault(self, error: UnicodeDecodeError, position: int) -> DataError:
        offset = position - len(error.object) + error.start
        return DataError(
            f"{self.path} is not UTF-8 text: byte 0x{error.object[error.start]:02x} at offset "
            f"{offset} does not fit; save it as UTF-8 first."
        )


def open_source(data: str) -> Source:
    """The text that the setting `data` names; the embedded manual if it is empty.

    Raises:
        DataError: The path is missing, empty, or neither a file nor a folder of WikiText's layout.
    """
    if not data:
        return Source(manual.NAME, {part: [text] for part, text in manual.parts().items()})
    path = Path(data).expanduser()
    if path.is_dir():
        return Source(str(path), {part: _whole(file) for part, file in _wikitext(path).items()})
    if path.is_file():
        return Source(str(path), _split(path))
    if path.exists():
        raise DataError(f"{path} is neither a file nor a folder.")
    raise DataError(f"{path} does not exist: data wants a UTF-8 text file or a WikiText folder.")


def _wikitext(folder: Path) -> dict[str, Path]:
    """The three files of WikiText's layout in a folder, or one level below it."""
    for place in (folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())):
        for suffix in _SUFFIXES:
            files = {part: place / f"{stem}{suffix}" for part, stem in _WIKITEXT.items()}
            missing = [file.name for file in files.values() if not file.is_file()]
            if not missing:
                return files
            if len(missing) < len(files):
                raise DataError(f"{place} lacks {' and '.join(missing)} of WikiText's layout.")
    raise DataError(
        f"{folder} holds no wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens (or .raw): "
        "give a folder in WikiText's layout, or a UTF-8 text file."
    )


def _whole(path: Path) -> FilePart:
    return FilePart(path, 0, _size(path))


def _split(path: Path) -> dict[str, FilePart]:
    """A file's first 80 % to train on, then 10 % each of validation and test, cut at lines."""
    size = _size(path)
    borders = [0, *(_border(path, int(share * size)) for share in _BORDERS), size]
    return {
        part: FilePart(path, begin, end)
        for part, begin, end in zip(PARTS, borders[:-1], borders[1:], strict=True)
    }


def _border(path: Path, position: int) -> int:
    """The first line's start at or behind `position`, or a character's where lines are endless."""
    with _opened(path) as file:
        file.seek(max(position - 1, 0))
        line = file.readline(_LONGEST_LINE)
        if line.endswith(b"\n"):
            return file.tell()
        file.seek(position)
        following = file.read(4)
    starts = (i for i, byte in enumerate(following) if byte & 0xC0 != 0x80)
    return position + next(starts, len(following))


def _size(path: Path) -> int:
    with _opened(path) as file:
        size = file.seek(0, 2)
    if not size:
        raise DataError(f"{path} is empty.")
    return size


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
