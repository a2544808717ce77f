"""A network that trains in no time, and sweeps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bim_explorer.config import Config
from bim_explorer.sweeps.paths import SweepFolder
from bim_explorer.sweeps.plan import Plan
from bim_explorer.sweeps.table import build_dataset, read_records
from bim_explorer.sweeps.work import Job, run_job

SIZES = {"delay": 2, "chunk": 4, "batch": 2, "d_model": 8, "d_state": 2}
CODE = {"code_size": 16, "code_active": 4, "delta_min": 0.005, "delta_max": 0.5}
#: What differs between two sweeps that are equal.
PASSING = ["seconds", "attempts", "run"]


def small_config(**values: Any) -> Config:
    return Config(**{"preset": "recall", **SIZES, **CODE, **values})


def small_plan(axes: dict[str, Any] | None = None, updates: int = 20) -> Plan:
    return Plan(small_config(), axes or {"balance": [0.0, 1.0], "seed": [0, 1]}, updates=updates)


def job_of(plan: Plan, index: int, folder: Path, attempt: int = 1) -> Job:
    values = plan.config(plan.cells[index].changes).values()
    path = str(SweepFolder(folder).run(index))
    return Job(path, values, plan.updates, plan.seconds, attempt)


def run_here(plan: Plan, folder: Path) -> Any:
    """The Dataset of all runs, done in this process one after the other."""
    for cell in plan.cells:
        run_job(job_of(plan, cell.index, folder))
    return build_dataset(plan, read_records(plan, SweepFolder(folder)))
