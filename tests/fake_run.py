"""A run without a worker: takes commands at once and remembers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.config import Config
from bim_explorer.core.errors import RunError
from bim_explorer.service.history import History
from bim_explorer.store.snapshot import Mark, Raster, Snapshot


class FakeRun:
    """What `RunClient` offers to pages."""

    def __init__(self, config: Config | None = None) -> None:
        self.id = "abc12345"
        self.sent: list[tuple[str, Any]] = []
        self.history = History()
        self.held_speed: float | None = None
        self.restarts = 0
        self.watchers: list[Callable[[], None]] = []
        self._begin((config or Config(preset="recall")).values())
        self.sent.clear()

    @property
    def wished(self) -> dict[str, Any]:
        return dict(self.values)

    @property
    def standing(self) -> bool:
        return self.status not in ("finished", "failed")

    def reset(self, values: Mapping[str, Any] | None = None) -> None:
        self._begin({**self.values, **(values or {})})

    def set(self, values: Mapping[str, Any]) -> None:
        if not self.standing:
            raise RunError("No run is going: start one first.")
        self.sent.append(("set", dict(values)))
        self.values = {**self.values, **values}

    def pause(self) -> None:
        self.sent.append(("pause", None))
        self.status = "paused"

    def resume(self) -> None:
        self.sent.append(("resume", None))
        self.status = "running"

    def step(self, n: int = 1) -> None:
        self.sent.append(("step", n))
        self.status = "paused"

    def speed(self, updates_per_second: float | None) -> None:
        self.sent.append(("speed", updates_per_second))
        self.held_speed = updates_per_second

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(wake)
        return lambda: self.watchers.remove(wake)

    def show(self, marks: tuple[Mark, ...] = (), **figures: float) -> None:
        """Deliver a snapshot of one more update."""
        self.update += 1
        curves = {
            name: (np.array([self.update]), np.array([value]))
            for name, value in figures.items()
            if name != "steps_per_second"
        }
        groups = (("input", 4), ("block 1", 4))
        raster = Raster(groups, np.ones((8, 2), np.uint8), 2 * self.update)
        self.latest = Snapshot(
            self.update,
            self.update * 2,
            self.status,
            self.message,
            self.values,
            figures,
            curves,
            raster,
            None,
            marks,
        )
        self.history.add(self.latest)
        for wake in list(self.watchers):
            wake()

    def _begin(self, values: Mapping[str, Any]) -> None:
        self.sent.append(("reset", dict(values)))
        self.values = dict(values)
        self.status, self.message, self.update = "running", "", 0
        self.latest: Snapshot | None = None
        self.folder = Path("runs") / f"run-{id(values)}"
        self.history.clear()


class FakeHub:
    """A hub of fake runs, full after so many."""

    def __init__(self, room: int = 4) -> None:
        self.runs: list[FakeRun] = []
        self._room = room

    def start(self, values: Mapping[str, Any], paused: bool = False) -> FakeRun:
        if len(self.runs) >= self._room:
            raise RunError("4 runs are going, as many as this server allows: stop one first.")
        run = FakeRun(Config.from_values(values))
        run.id = f"run{len(self.runs)}"
        self.runs.append(run)
        return run

    def get(self, id: str) -> FakeRun | None:
        return next((run for run in self.runs if run.id == id), None)
