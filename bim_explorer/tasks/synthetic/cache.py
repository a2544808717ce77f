"""Where synthetic sets are kept: made once, in the user's cache folder or in `BIM_CACHE`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from bim_explorer.core.errors import DataError


def cached_set(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of a synthetic set, made now if it is not there yet.

    Args:
        name: Of the folder; a set that is made differently needs another one.
        make: Writes the set into the empty folder it is given.

    Raises:
        DataError: The cache cannot be written.
    """
    root = Path(os.environ.get("BIM_CACHE") or user_cache_path("bim-explorer", appauthor=False))
    folder = root / name
    if folder.is_dir():
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
    except OSError as error:
        raise DataError(
            f"{root} cannot hold the synthetic data: {error.strerror}; "
            "set BIM_CACHE to a folder that can."
        ) from error
    try:
        make(unfinished)
        _publish(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _publish(unfinished: Path, folder: Path) -> None:
    """Give the finished set its name, unless another process was faster."""
    try:
        unfinished.replace(folder)
    except OSError:
        if not folder.is_dir():
            raise
