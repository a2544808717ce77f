"""The one table of paths: where runs live, and what a run folder holds.

runs/20260131-142501-recall-s0/
  config.json         values, seed and versions: what was run, on what
  events.jsonl        every live change with its update number
  metrics.jsonl       rows of figures, appended as learning goes on
  NAME.safetensors    checkpoints: `last` to go on from, `best` to evaluate
  .lock               held by the process that writes
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from bim_explorer.core.errors import RunError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths inside one run folder; nothing is read or written.

    Attributes:
        path: The folder itself.
    """

    path: Path

    @property
    def config(self) -> Path:
        """What was run, on what."""
        return self.path / "config.json"

    @property
    def events(self) -> Path:
        """Every live change with its update number."""
        return self.path / "events.jsonl"

    @property
    def metrics(self) -> Path:
        """Rows of figures."""
        return self.path / "metrics.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the process that writes."""
        return self.path / ".lock"

    def checkpoint(self, name: str) -> Path:
        """The checkpoint of that name."""
        return self.path / f"{name}.safetensors"


def runs_root() -> Path:
    """The folder of all runs: `$BIM_RUNS`, or `runs` in the working folder."""
    return Path(os.environ.get("BIM_RUNS") or "runs").expanduser()


def new_run_folder(root: Path, label: str) -> Path:
    """Make a new folder in `root`, named after the time and `label`.

    Two calls never get the same one, from different processes either.

    Raises:
        RunError: The folder cannot be made.
    """
    safe = re.sub(r"[^\w.-]+", "-", label)
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{safe}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name in _numbered(stem):
            try:
                (root / name).mkdir()
                return root / name
            except FileExistsError:
                continue
    except OSError as error:
        raise RunError(
            f"No run folder can be made in {root}: {error.strerror}. "
            "Set BIM_RUNS to a folder that can be written."
        ) from error
    raise AssertionError("numbers have no end")


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in count(2))
