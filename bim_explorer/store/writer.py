"""Writing a run folder: plain files that a crash at any moment leaves readable. Never pickle."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from bim_explorer import __version__
from bim_explorer.core.errors import RunError
from bim_explorer.core.machine import cores, resolve_threads
from bim_explorer.core.registries import used_packages, used_plugins
from bim_explorer.store.files import LineFile, cut_lines, explained, to_json, write_whole
from bim_explorer.store.lock import FolderLock
from bim_explorer.store.paths import RunFolder, new_run_folder, runs_root

#: Raised whenever a file of the run folder changes its meaning.
FORMAT = 1
#: Key of a checkpoint's facts in the metadata of its file.
META_KEY = "meta"
#: Packages whose versions decide what a run computes.
_PACKAGES = ("torch", "numpy", "numba", "safetensors")


class RunWriter:
    """One run folder, open for writing by this process alone.

    Use `create` or `reopen`.

    Attributes:
        folder: The run folder.
    """

    def __init__(self, folder: Path, lock: FolderLock) -> None:
        self.folder = folder
        self._paths = RunFolder(folder)
        self._lock = lock
        self._events = LineFile(self._paths.events)
        self._metrics = LineFile(self._paths.metrics)

    @classmethod
    def create(cls, values: Mapping[str, Any], out: Path | None = None) -> RunWriter:
        """Start a run folder.

        Args:
            values: All flat parameter values.
            out: The folder, new or empty; None makes one below `runs_root()`.

        Raises:
            RunError: The folder holds something already, or cannot be written.
        """
        folder = new_run_folder(runs_root(), run_label(values)) if out is None else _empty(out)
        lock = FolderLock(RunFolder(folder).lock)
        write_whole(RunFolder(folder).config, _indented(describe(values)))
        writer = cls(folder, lock)
        writer.event(0, "start", {})
        return writer

    @classmethod
    def reopen(cls, folder: Path, update: int) -> RunWriter:
        """Go on with a run folder after its checkpoint at `update`; what lies behind it goes.

        Raises:
            RunError: Another process writes there, or it cannot be written.
        """
        paths = RunFolder(folder)
        lock = FolderLock(paths.lock)
        cut_lines(paths.metrics, lambda row: row["update"] <= update)
        cut_lines(paths.events)
        writer = cls(folder, lock)
        writer.event(update, "restart", {})
        return writer

    def metrics(self, row: Mapping[str, float | int | None]) -> None:
        """Append a row of figures; it has `update` and `steps`, and None for what is unknown.

        Raises:
            RunError: The disk refused; the row is written with the next one.
        """
        self._metrics.append({name: _finite(value) for name, value in row.items()})

    def event(self, update: int, kind: str, values: Mapping[str, Any]) -> None:
        """Log what happened to the run, and before which update.

        Args:
            update: Update at which it takes effect, or behind which it happened.
            kind: "start", "set", "pause", "resume", "restart", "diverged" or "stop".
            values: New parameter values of a "set".

        Raises:
            RunError: The disk refused; the event is written with the next one.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._events.append({"update": update, "kind": kind, "values": dict(values), "at": at})

    def checkpoint(
        self, name: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint in the place of the last one of that name.

        What a resume replays behind the checkpoint is brought to the disk before it.

        Args:
            name: "last" or "best".
            arrays: The state; any shape, no objects.
            meta: JSON-able facts.

        Raises:
            RunError: The disk refused; the last checkpoint of that name is as it was.
        """
        self._events.sync()
        self._metrics.sync()
        # safetensors takes an array's memory as it lies, whatever its strides say
        ordered = {key: np.asarray(array, order="C") for key, array in arrays.items()}
        content = save(ordered, metadata={META_KEY: to_json(meta).decode()})
        write_whole(self._paths.checkpoint(name), content)

    def close(self) -> None:
        """Close the folder; others may write to it."""
        self._events.close()
        self._metrics.close()
        self._lock.release()


def run_label(values: Mapping[str, Any]) -> str:
    """What a run is called after: its preset or task, and its seed."""
    return f"{values.get('preset') or values['task']}-s{values['seed']}"


def describe(values: Mapping[str, Any]) -> dict[str, Any]:
    """What `config.json` says: the values and everything beside them that decides the result."""
    versions = {"python": platform.python_version(), "bim-explorer": __version__}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    versions |= used_packages(values)
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "values": dict(values),
        "threads": resolve_threads(values["threads"]),
        "versions": versions,
        "plugins": used_plugins(values),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "cores": cores(),
        },
    }


def _empty(out: Path) -> Path:
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise RunError(f"{out} is not empty: a run wants a new folder.")
    return out


def _indented(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"


def _finite(value: float | int | None) -> float | int | None:
    return None if value is None or not math.isfinite(value) else value
