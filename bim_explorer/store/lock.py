"""One writer a run folder: a lock that the system lets go of when its process ends, however."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import IO

from bim_explorer.core.errors import RunError
from bim_explorer.store.files import explained

log = logging.getLogger(__name__)

#: A writer that is told to end gets so long to close its files.
PATIENCE_SECONDS = 2.0

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock in that file; where nobody can tell, one is taken to."""
    if not path.exists():
        return False
    try:
        with path.open("rb+") as file:
            _take(file)
    except OSError:
        return True
    return False


class FolderLock:
    """Held from its making until `release`.

    Args:
        path: The lock's file, made if it is not there.

    Raises:
        RunError: Another process writes to that folder and does not let go of it within
            `PATIENCE_SECONDS`, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        with explained(path):
            self._file = path.open("ab")
        try:
            self._wait()
        except (BlockingIOError, PermissionError) as error:
            self._file.close()
            raise RunError(
                f"{path.parent} is being written by another process: stop that run first."
            ) from error
        except OSError as error:
            log.warning("%s: this file system knows no locks (%s)", path, error)

    def release(self) -> None:
        """Let others write; harmless if that was done before."""
        self._file.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return _take(self._file)
            except (BlockingIOError, PermissionError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)
