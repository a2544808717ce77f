"""A sweep from plan to result: what `bim-explorer sweep`, a notebook and a script call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.store.files import explained, write_whole
from bim_explorer.store.lock import FolderLock
from bim_explorer.store.paths import new_run_folder, runs_root
from bim_explorer.sweeps.bar import bar
from bim_explorer.sweeps.crew import crew
from bim_explorer.sweeps.paths import SweepFolder
from bim_explorer.sweeps.plan import Plan
from bim_explorer.sweeps.result import SweepResult
from bim_explorer.sweeps.runner import Standing, run_plan


def sweep(
    base: Config | Plan | str | Path | None = None,
    axes: Mapping[str, Any] | None = None,
    *,
    updates: int | None = None,
    seconds: float | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[Standing], None] | None = None,
) -> SweepResult:
    """Run a plan, or go on with it, and leave it in its folder.

    The same call with the same `out` goes on where the last one stopped: finished runs are not run
    again, stopped ones go on from their checkpoints, failed ones are tried again.

    Args:
        base: A config, a preset's name, the path of a sweep file (JSON or TOML), or a plan.
        axes: By parameter: values, `uniform(low, high, n)` or `log_uniform(low, high, n)`.
        updates: Updates of each run.
        seconds: Time of each run; without both, a minute. Only runs of so many updates come out
            the same again.
        out: The sweep's folder; None makes one under `runs/`.
        workers: Processes on this machine, one thread each; None takes the machine's cores.
        scheduler: Address of a Dask scheduler to run on instead.
        progress: Called about twice a second with a `Standing`; None shows a bar in a notebook or
            a terminal. KeyboardInterrupt raised there or by the user stops the sweep, and what
            there is is returned all the same.

    Returns:
        `result.dataset` (xarray), `result.table` (pandas, a row a run), `result.failed` (with
        logs), `result.folder`.

    Raises:
        ConfigError: A name or a value that cannot be, or a folder that holds another sweep.
        SweepError: Workers that cannot be had.

    Example:
        >>> result = sweep("recall", {"balance": [0, 0.5, 1], "seed": range(3)}, updates=200)
        >>> result.dataset.final_validation.mean("seed")
    """
    if isinstance(base, Plan):
        if axes or updates or seconds:
            raise ConfigError("a plan has its axes and limits already: change them there")
        plan = base
    else:
        plan = Plan(base, axes, updates=updates, seconds=seconds)
    start = time.monotonic()
    with opened(plan.to_json(), _label(plan), out) as folder, crew(workers, scheduler) as hands:
        if progress is not None:
            complete = run_plan(plan, folder, hands, progress)
        else:
            with bar(len(plan)) as tell:
                complete = run_plan(plan, folder, hands, tell)
        SweepResult(folder.path, plan).save()
    return SweepResult(folder.path, plan, time.monotonic() - start, not complete)


@contextmanager
def opened(plan: Mapping[str, Any], label: str, out: str | Path | None) -> Iterator[SweepFolder]:
    """A sweep's folder, for this process alone: a new one, or the one that holds this plan.

    Args:
        plan: What its `plan.json` holds.
        label: What a new folder is called after.
        out: The folder; None makes a new one.

    Raises:
        ConfigError: It holds another sweep.
        RunError: It holds something else, is in use, or cannot be written.
    """
    path = new_run_folder(runs_root(), label) if out is None else Path(out)
    folder = SweepFolder(path)
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)
        fresh = not folder.plan.exists()
        if fresh and any(entry.name != folder.lock.name for entry in path.iterdir()):
            raise RunError(f"{path} is not empty and holds no sweep: a sweep wants a new folder.")
    lock = FolderLock(folder.lock)
    try:
        if fresh:
            write_whole(
                folder.plan, json.dumps(plan, indent=2, ensure_ascii=False).encode() + b"\n"
            )
        else:
            _compare(folder, plan)
        yield folder
    finally:
        lock.release()


def _compare(folder: SweepFolder, plan: Mapping[str, Any]) -> None:
    """Refuse a folder that holds another plan."""
    try:
        there = json.loads(folder.plan.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.plan} is damaged: {error}.") from error
    wanted = json.loads(json.dumps(plan))
    other = [name for name in wanted if there.get(name) != wanted[name]]
    if "values" in other and isinstance(there.get("values"), dict):
        old, new = there["values"], wanted["values"]
        other.remove("values")
        other += [name for name in new if old.get(name) != new[name]]
    if other:
        raise ConfigError(
            f"{folder.path} holds another sweep, which differs in {', '.join(other)}: "
            "give the same plan to go on with it, or another folder for a new one"
        )


def _label(plan: Plan) -> str:
    return f"sweep-{plan.base.preset or plan.base.task}"
