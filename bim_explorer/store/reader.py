"""Reading a run folder, while it is written or long after."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from bim_explorer.core.errors import RunError
from bim_explorer.store.files import read_lines
from bim_explorer.store.paths import RunFolder
from bim_explorer.store.writer import FORMAT, META_KEY

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)

VALIDATION_PREFIX = "validation_"
#: What a row of metrics may hold beside the task's own metrics.
_CURVES = {"loss", "sparsity", "threshold", "firing_rate"}
_COMMON = {"update", "steps"} | _CURVES


class RunReader:
    """One run folder; everything is read when it is asked for.

    Args:
        folder: The run folder.

    Attributes:
        folder: The run folder.
        info: What `config.json` says: values, versions, platform, threads, created.
        values: The flat parameter values that the run started with.

    Raises:
        RunError: It is no run folder, or one of a newer version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._paths = RunFolder(self.folder)
        self.info: dict[str, Any] = self._read_info()
        self.values: dict[str, Any] = self.info["values"]

    def events(self) -> list[dict[str, Any]]:
        """What happened to the run, in order: `{"update", "kind", "values", "at"}`."""
        return read_lines(self._paths.events)

    def changes(self) -> list[tuple[int, dict[str, Any]]]:
        """Live changes by the update at which they took effect, for an exact replay."""
        sets = [event for event in self.events() if event["kind"] == "set"]
        return sorted(((e["update"], e["values"]) for e in sets), key=lambda change: change[0])

    def metrics(self) -> list[dict[str, Any]]:
        """Rows of figures, each with `update` and `steps`; None where a figure was unknown."""
        return read_lines(self._paths.metrics)

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The rows as a snapshot's curves: (update, value) by name, known values only."""
        rows = self.metrics()
        metric = leading_metric(rows)
        renamed = {metric: "metric", f"{VALIDATION_PREFIX}{metric}": "validation"}
        points: dict[str, list[tuple[int, float]]] = {}
        for row in rows:
            for key in row.keys() & (_CURVES | renamed.keys()):
                if row[key] is not None:
                    name = renamed.get(key, key)
                    points.setdefault(name, []).append((row["update"], row[key]))
        return {
            name: (np.array([u for u, _ in found]), np.array([v for _, v in found]))
            for name, found in points.items()
        }

    def dataset(self) -> xarray.Dataset:
        """The rows of figures over `update`; NaN where a figure was unknown."""
        import xarray

        rows = self.metrics()
        names = dict.fromkeys(name for row in rows for name in row if name != "update")
        variables = {
            name: ("update", np.array([_number(row.get(name)) for row in rows])) for name in names
        }
        coordinates = {"update": np.array([row["update"] for row in rows], int)}
        return xarray.Dataset(variables, coordinates, {"run": self.folder.name})

    def checkpoint(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and facts of a checkpoint.

        Raises:
            RunError: It is missing, or its file is damaged.
        """
        path = self._paths.checkpoint(name)
        try:
            content = path.read_bytes()
            return load(content), _meta(content)
        except FileNotFoundError:
            raise RunError(f"{self.folder} has no checkpoint {name!r}.") from None
        except (SafetensorError, ValueError, KeyError) as error:
            raise RunError(f"{path} is damaged: {error}.") from error
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror or error}.") from error

    def summary(self) -> dict[str, Any]:
        """One line of a list of runs; None for what is not known yet."""
        rows = self.metrics()
        metric = leading_metric(rows)
        return {
            "name": self.folder.name,
            "task": self.values["task"],
            "preset": self.values["preset"],
            "created": self.info["created"],
            "updates": rows[-1]["update"] if rows else 0,
            "steps": rows[-1]["steps"] if rows else 0,
            "metric_name": metric,
            "metric": _newest(rows, metric),
            "validation": _newest(rows, f"{VALIDATION_PREFIX}{metric}"),
        }

    def _read_info(self) -> dict[str, Any]:
        path = self._paths.config
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
            known = info["format"] <= FORMAT and {"values", "created"} <= info.keys()
        except (FileNotFoundError, NotADirectoryError):
            raise RunError(f"{self.folder} is no run folder: it has no config.json.") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror or error}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} is damaged: {error!r}.") from error
        if not known:
            raise RunError(
                f"{path} is of format {info['format']}; this version of bim-explorer reads "
                f"formats up to {FORMAT}."
            )
        return info


def list_runs(root: str | Path) -> list[RunReader]:
    """All runs directly below a folder, the newest first; damaged ones are logged and left out."""
    runs = []
    for path in Path(root).glob("*/config.json"):
        try:
            runs.append(RunReader(path.parent))
        except RunError as error:
            log.warning("%s", error)
    return sorted(runs, key=lambda run: (run.info["created"], run.folder.name), reverse=True)


def leading_metric(rows: list[dict[str, Any]]) -> str | None:
    """The metric that rows are judged by: the first one beside the common figures."""
    for row in rows:
        for name in row:
            if name not in _COMMON:
                return name.removeprefix(VALIDATION_PREFIX)
    return None


def _newest(rows: list[dict[str, Any]], name: str | None) -> float | None:
    found = (row[name] for row in reversed(rows) if name and row.get(name) is not None)
    return next(found, None)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _meta(content: bytes) -> dict[str, Any]:
    """The facts in a safetensors file's header, whose length stands in its first eight bytes."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"][META_KEY])
