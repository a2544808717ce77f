"""What the run folder's tests start from, and two disks that refuse."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bim_explorer.config import Config

SmallDisk = Callable[[int], AbstractContextManager[None]]


@pytest.fixture
def values() -> dict[str, Any]:
    return Config(preset="recall", seed=3).values()


@pytest.fixture
def small_disk() -> SmallDisk:
    """Within the block no file of this process grows beyond so many bytes."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)

    return limited


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process may not write to, even where the tests run as root."""
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
