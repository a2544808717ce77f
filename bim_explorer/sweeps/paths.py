"""The table of paths of a sweep folder, and what it says about its runs.

runs/20260131-142501-sweep-recall/
  plan.json       what is run; it is a sweep file itself
  0000/           a run folder like any other, and beside its files
    outcome.json    how the run ended: status, figures, seconds
    error.txt       why it failed, with its traceback
  dataset.nc      one Dataset over parameters, seed and update (netCDF)
  runs.csv        one row a run
  .stop           there as long as the runs are asked to stop
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bim_explorer.core.errors import RunError
from bim_explorer.store.files import to_json, write_whole

#: How a run can stand. Those behind "running" stand in its outcome.
WAITING, RUNNING = "waiting", "running"
DONE, DIVERGED, FAILED, STOPPED, PRUNED = "done", "diverged", "failed", "stopped", "pruned"
#: Statuses that stay as they are when the sweep is called again.
FINAL = frozenset({DONE, DIVERGED, PRUNED})


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """The paths inside one sweep folder; nothing is read or written.

    Attributes:
        path: The folder itself.
    """

    path: Path

    @property
    def plan(self) -> Path:
        """What is run."""
        return self.path / "plan.json"

    @property
    def dataset(self) -> Path:
        """Everything measured, over parameters, seed and update."""
        return self.path / "dataset.nc"

    @property
    def table(self) -> Path:
        """One row a run."""
        return self.path / "runs.csv"

    @property
    def stop(self) -> Path:
        """Its being there asks all runs to stop."""
        return self.path / ".stop"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the sweep."""
        return self.path / ".lock"

    @property
    def trials(self) -> Path:
        """Optuna's journal of a search."""
        return self.path / "trials.log"

    def run(self, index: int) -> Path:
        """The folder of a run."""
        return self.path / f"{index:04d}"


def outcome_path(folder: Path) -> Path:
    """Where a run's folder says how it ended."""
    return folder / "outcome.json"


def error_path(folder: Path) -> Path:
    """Where a run's folder says why it failed."""
    return folder / "error.txt"


def stop_path(folder: Path) -> Path:
    """Its being there asks this run alone to stop: it is pruned."""
    return folder / ".stop"


def read_outcome(folder: Path) -> dict[str, Any] | None:
    """How a run ended; None if it has not.

    Raises:
        RunError: The file is damaged.
    """
    path = outcome_path(folder)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged: {error}. Remove it to run that run again.") from error


def write_outcome(folder: Path, outcome: dict[str, Any]) -> None:
    """Say how a run ended.

    Raises:
        RunError: The disk refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(outcome_path(folder), to_json(outcome) + b"\n")


def standing(folder: Path) -> str:
    """How a run stands, from its folder alone."""
    outcome = read_outcome(folder)
    if outcome is not None:
        return outcome["status"]
    return RUNNING if (folder / "config.json").exists() else WAITING
