"""From run folders to one Dataset, and to one tidy table.

    over axes × update   loss, metric, validation, sparsity, threshold, firing_rate, steps, and
                         every metric under its own name: the rows of each run
    over axes            final_loss, final_metric, final_validation, final_sparsity,
                         final_firing_rate, updates, seconds, attempts, status, run (its folder)

`metric` is the task's leading metric in training, `validation` the same on unseen data. Random
axes share the dimension `draw`, along which each is a coordinate. Where a run has no value, as it
failed or is not done yet, stands NaN; rows are where any run has one, so runs that are as long
have rows at the same updates. The last row has the validation scores of the run's end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bim_explorer.core.errors import RunError
from bim_explorer.store.files import read_lines
from bim_explorer.store.paths import RunFolder
from bim_explorer.store.reader import VALIDATION_PREFIX, leading_metric
from bim_explorer.sweeps.paths import SweepFolder, read_outcome, standing

if TYPE_CHECKING:
    import pandas
    import xarray

    from bim_explorer.sweeps.plan import Cell, Plan

#: Figures of a run's end, in the order of the table.
FINAL_FIGURES = ("loss", "metric", "validation", "sparsity", "firing_rate")


class RunRecord:
    """What one run of a sweep left behind so far.

    Args:
        cell: Its place in the plan.
        folder: Its folder.

    Attributes:
        status: How it stands.
        outcome: How it ended; empty if it has not.
        rows: Its rows of figures, with `metric` and `validation` beside the names of the task.
    """

    def __init__(self, cell: Cell, folder: Path) -> None:
        self.cell = cell
        self.folder = folder
        self.outcome: dict[str, Any] = read_outcome(folder) or {}
        self.status = self.outcome.get("status") or standing(folder)
        rows = read_lines(RunFolder(folder).metrics)
        self.leading = leading_metric(rows)
        self.rows = _with_leading(_with_end(rows, self.outcome), self.leading)

    def final(self) -> dict[str, float]:
        """Figures of its end, or the newest ones of a run that has not ended; NaN if unknown."""
        newest = {name: _newest(self.rows, name) for name in FINAL_FIGURES}
        told = {name: self.outcome.get(name) for name in ("loss", "sparsity", "firing_rate")}
        scores = self.outcome.get("metrics") or {}
        told["validation"] = next(iter(scores.values()), None)
        known = {name: value for name, value in told.items() if value is not None}
        return {name: float(value) for name, value in {**newest, **known}.items()}

    def others(self) -> dict[str, float]:
        """All its validation scores at the end but the leading one, by name."""
        scores = list((self.outcome.get("metrics") or {}).items())[1:]
        return {f"{VALIDATION_PREFIX}{name}": float(value) for name, value in scores}

    @property
    def updates(self) -> int:
        """Updates done, as far as its rows tell."""
        return self.outcome.get("updates") or (self.rows[-1]["update"] if self.rows else 0)


def read_records(plan: Plan, folder: SweepFolder) -> list[RunRecord]:
    """What all runs left behind, in the order of the plan."""
    return [RunRecord(cell, folder.run(cell.index)) for cell in plan.cells]


def build_dataset(plan: Plan, records: Sequence[RunRecord]) -> xarray.Dataset:
    """One Dataset of all runs."""
    import xarray

    updates = sorted({row["update"] for record in records for row in record.rows})
    place = {update: i for i, update in enumerate(updates)}
    names = dict.fromkeys(n for record in records for row in record.rows for n in row)
    names.pop("update", None)
    shape = tuple(plan.sizes.values())
    curves = {name: np.full((*shape, len(updates)), np.nan) for name in names}
    for record in records:
        for row in record.rows:
            at = (*record.cell.where, place[row["update"]])
            for name, value in row.items():
                if name != "update" and value is not None:
                    curves[name][at] = value
    dims = tuple(plan.sizes)
    variables = {name: ((*dims, "update"), values) for name, values in curves.items()}
    ends = {
        name: (dims, _shaped([end[name] for end in map(_end, records)], shape))
        for name in (_end(records[0]) if records else ())  # a search may have tried nothing yet
    }
    coordinates = {**plan.coordinates(), "update": ("update", np.array(updates, int))}
    leading = sorted({record.leading for record in records if record.leading})
    about = {"metric": ", ".join(leading), "about": plan.size}
    return xarray.Dataset({**variables, **ends}, coordinates, about)


def build_table(plan: Plan, records: Sequence[RunRecord]) -> pandas.DataFrame:
    """One row a run: its values on the axes, how it stands, its final figures, its folder."""
    import pandas

    rows = [
        {
            **record.cell.changes,
            "status": record.status,
            **record.final(),
            **record.others(),
            "updates": record.updates,
            "seconds": record.outcome.get("seconds", math.nan),
            "attempts": record.outcome.get("attempts", 0),
            "run": str(record.folder),
            "error": record.outcome.get("error", ""),
        }
        for record in records
    ]
    return pandas.DataFrame(rows)


def save_dataset(dataset: xarray.Dataset, path: Path) -> None:
    """Write a Dataset as netCDF, whole or not at all.

    Raises:
        RunError: The disk refused.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        dataset.to_netcdf(part, engine="scipy")
        part.replace(path)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}.") from error


def load_dataset(path: Path) -> xarray.Dataset:
    """A Dataset that `save_dataset` wrote.

    Raises:
        RunError: It is missing or damaged.
    """
    import xarray

    try:
        with xarray.open_dataset(path, engine="scipy") as opened:
            return opened.load()
    except FileNotFoundError:
        raise RunError(f"{path} does not exist: the sweep has not ended yet.") from None
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}.") from error


def _end(record: RunRecord) -> dict[str, Any]:
    return {
        **{f"final_{name}": value for name, value in record.final().items()},
        "updates": record.updates,
        "seconds": float(record.outcome.get("seconds", math.nan)),
        "attempts": int(record.outcome.get("attempts", 0)),
        "status": record.status,
        "run": str(record.folder),
    }


def _shaped(values: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    text = isinstance(values[0], str)
    return np.array(values, dtype=object if text else None).reshape(shape)


def _with_end(rows: list[dict[str, Any]], outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows whose last one has the scores that the run had in the end."""
    scores = outcome.get("metrics") or {}
    if not rows or rows[-1]["update"] != outcome.get("updates"):
        return rows
    return [
        *rows[:-1],
        rows[-1] | {f"{VALIDATION_PREFIX}{n}": score for n, score in scores.items()},
    ]


def _with_leading(rows: list[dict[str, Any]], metric: str | None) -> list[dict[str, Any]]:
    names = {metric: "metric", f"{VALIDATION_PREFIX}{metric}": "validation"}
    return [row | {new: row[old] for old, new in names.items() if old in row} for row in rows]


def _newest(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    found = (row[name] for row in reversed(rows) if row.get(name) is not None)
    return next(found, math.nan)
