"""Files that survive what befalls them: a killed process, a full disk, a read-only folder.

whole files     written under another name, brought to the disk, then renamed
line files      one JSON object a line, appended; a line that did not fit is taken back and
                comes again with the next one, so there is never a hole
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bim_explorer.core.errors import RunError

log = logging.getLogger(__name__)


class LineFile:
    """A JSON-lines file open for appending.

    Args:
        path: Made if it is not there; must end with a whole line.

    Raises:
        RunError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained(path):
            self._file = path.open("ab", buffering=0)
        self._end = self._file.seek(0, os.SEEK_END)
        self._unwritten = b""

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a record, and those that failed before it.

        Raises:
            RunError: The disk refused; the record is kept for the next call.
        """
        self._unwritten += to_json(record) + b"\n"
        self._write()

    def sync(self) -> None:
        """Bring everything written to the disk.

        Raises:
            RunError: The disk refused.
        """
        with explained(self.path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, after a last attempt at what failed before."""
        with suppress(RunError):
            self._write()
        self._file.close()

    def _write(self) -> None:
        with explained(self.path):
            try:
                done = 0
                while done < len(self._unwritten):
                    done += self._file.write(self._unwritten[done:])
            except OSError:
                with suppress(OSError):
                    self._file.truncate(self._end)
                raise
        self._end += len(self._unwritten)
        self._unwritten = b""


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a line file: none if it is missing, without a torn last line.

    Raises:
        RunError: The file cannot be read.
    """
    return list(_records(path))


def cut_lines(path: Path, keep: Callable[[dict[str, Any]], bool] = lambda record: True) -> None:
    """Leave only whole lines, and of them only those that `keep` accepts.

    Raises:
        RunError: The file cannot be read or replaced; it is as it was.
    """
    kept = [to_json(record) + b"\n" for record in _records(path) if keep(record)]
    write_whole(path, b"".join(kept))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that its name always stands for a whole one, the old or the new.

    Raises:
        RunError: The disk refused; the old file is as it was.
    """
    part = path.with_name(f"{path.name}.part")
    with explained(path):
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
        _sync_folder(path.parent)


def to_json(record: Mapping[str, Any]) -> bytes:
    """A record as one line of JSON, numpy's scalars as plain numbers."""
    return json.dumps(record, default=lambda scalar: scalar.item(), ensure_ascii=False).encode()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's error on `path` into one clear sentence."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}. What it held before is safe."
        ) from error


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}.") from error
    *lines, _torn = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError:
            log.warning("%s: line %d is no JSON and was passed over", path, number)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system knows how to."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
