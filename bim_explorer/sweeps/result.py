"""What a sweep left in its folder, finished or not: Dataset, table, failures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bim_explorer.core.errors import RunError
from bim_explorer.store.files import write_whole
from bim_explorer.store.lock import is_locked
from bim_explorer.sweeps.paths import DIVERGED, DONE, FAILED, FINAL, PRUNED, SweepFolder, error_path
from bim_explorer.sweeps.plan import Plan
from bim_explorer.sweeps.table import (
    RunRecord,
    build_dataset,
    build_table,
    load_dataset,
    read_records,
    save_dataset,
)
from bim_explorer.sweeps.trials import Trials

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed or diverged.

    Attributes:
        changes: Its values on the axes.
        status: "failed" or "diverged".
        error: What happened, in one line.
        folder: Its run folder.
        log: The traceback, as far as there is one.
    """

    changes: dict[str, Any]
    status: str
    error: str
    folder: Path
    log: str


class SweepResult:
    """A sweep as its folder tells it; everything is read when it is first asked for.

    Args:
        folder: The sweep's folder.
        plan: Its plan; None reads it.
        seconds: How long the call took that made it.
        stopped: Whether that call was stopped before its end.

    Attributes:
        folder: The sweep's folder.
        paths: The paths in it.
        plan: What was to be run.
        seconds: How long the call took that made it; 0 if it was only opened.
        stopped: Whether that call was stopped before its end.

    Raises:
        RunError: It is no sweep folder.
    """

    def __init__(
        self,
        folder: str | Path,
        plan: Plan | None = None,
        seconds: float = 0.0,
        stopped: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.seconds, self.stopped = seconds, stopped
        self.paths = SweepFolder(self.folder)
        if not self.paths.plan.is_file():
            raise RunError(f"{self.folder} is no sweep folder: it has no plan.json.")
        self.plan = plan or _plan(self.paths)

    @cached_property
    def records(self) -> list[RunRecord]:
        """What each run left behind."""
        return read_records(self.plan, self.paths)

    @cached_property
    def dataset(self) -> xarray.Dataset:
        """Everything measured, over the axes and `update`; see `sweeps.table`."""
        if self.complete and self.paths.dataset.exists():
            dataset = load_dataset(self.paths.dataset)
            places = [str(record.folder) for record in self.records]  # it may have moved
            dataset["run"] = (
                dataset.run.dims,
                np.reshape(np.array(places, object), dataset.run.shape),
            )
            return dataset
        return build_dataset(self.plan, self.records)

    @cached_property
    def table(self) -> pandas.DataFrame:
        """One row a run: axis values, status, final figures, run folder."""
        return build_table(self.plan, self.records)

    @property
    def failed(self) -> list[Failure]:
        """The runs that failed or diverged, each with its log."""
        return [
            Failure(
                record.cell.changes,
                record.status,
                record.outcome.get("error", ""),
                record.folder,
                _log(record.folder),
            )
            for record in self.records
            if record.status in (FAILED, DIVERGED)
        ]

    @property
    def complete(self) -> bool:
        """Whether every run has ended."""
        return all(record.status in (DONE, DIVERGED, FAILED, PRUNED) for record in self.records)

    @property
    def going(self) -> bool:
        """Whether a process runs the sweep now."""
        return is_locked(self.paths.lock)

    def count(self, *statuses: str) -> int:
        """How many runs stand so."""
        return sum(record.status in statuses for record in self.records)

    def again(self) -> SweepResult:
        """The sweep as it stands now; of runs that have ended nothing is read again."""
        now = SweepResult(self.folder)
        known = {record.folder: record for record in self.records if record.status in FINAL}
        now.records = [
            known.get(now.paths.run(cell.index)) or RunRecord(cell, now.paths.run(cell.index))
            for cell in now.plan.cells
        ]
        return now

    def save(self) -> Path:
        """Write `dataset.nc` and `runs.csv`; the path of the first.

        Raises:
            RunError: The disk refused.
        """
        save_dataset(build_dataset(self.plan, self.records), self.paths.dataset)
        write_whole(self.paths.table, self.table.to_csv(index=False).encode())
        return self.paths.dataset

    def __repr__(self) -> str:
        ended = self.count(DONE, PRUNED)
        return f"<{self.plan.size}: {ended} done, {len(self.failed)} failed, in {self.folder}>"


def open_sweep(folder: str | Path) -> SweepResult:
    """The results in a sweep folder, those so far if it still runs.

    Raises:
        RunError: It is no sweep folder.
    """
    return SweepResult(folder)


def _plan(folder: SweepFolder) -> Plan:
    plan = Plan(folder.plan)
    searched = json.loads(folder.plan.read_text(encoding="utf-8")).get("search")
    return Trials.read(plan, folder) if searched else plan


def _log(folder: Path) -> str:
    path = error_path(folder)
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
