"""A run without an engine: the service's own history, filled by hand, for tests of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bim_explorer.config import Config
from bim_explorer.service.history import History
from bim_explorer.store.snapshot import Mark, Pairs, Raster, Snapshot

GROUPS = (("input", 5), ("block 1", 4))


class LiveRun:
    """What a board and a feed need of a `RunClient`, advanced by the test itself."""

    def __init__(self, preset: str = "recall", groups: tuple[tuple[str, int], ...] = GROUPS):
        sizes = {"code_size": groups[0][1], "n_blocks": len(groups) - 1, "d_model": groups[1][1]}
        self.values: dict[str, Any] = {**Config(preset=preset).values(), **sizes}
        self.history = History()
        self.folder = None
        self.update = 0
        self.groups = groups
        self.spikes = np.zeros((sum(rows for _, rows in groups), 0), np.uint8)
        self.watchers: list[Callable[[], None]] = []
        self._rng = np.random.default_rng(0)

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(wake)
        return lambda: self.watchers.remove(wake)

    def advance(self, updates: int = 10, steps: int = 7, marks: tuple[Mark, ...] = ()) -> None:
        """A snapshot after some updates, with a point on every curve and some columns."""
        self.update += updates
        rows = sum(count for _, count in self.groups)
        columns = (self._rng.random((rows, steps)) < 0.2).astype(np.uint8)
        self.spikes = np.concatenate([self.spikes, columns], axis=1)
        at = np.array([self.update])
        curves = {
            name: (at, self._rng.random(1))
            for name in ("loss", "metric", "validation", "sparsity", "threshold")
        }
        raster = Raster(self.groups, columns, self.spikes.shape[1])
        self.history.add(self._snapshot(curves, raster, marks))
        self.tell()

    def change(self, **values: Any) -> None:
        """A live change that takes effect at the next update."""
        self.values = {**self.values, **values}
        self.history.add(self._snapshot({}, None, (Mark(self.update + 1, values),)))

    def tell(self) -> None:
        for wake in list(self.watchers):
            wake()

    def pairs(self, n: int = 50, scale: float = 1e-3) -> Pairs:
        delta = self._rng.integers(-30, 30, n).astype(float)
        parts = self._rng.normal(0, scale, (3, n))
        return Pairs(self.update, delta, *parts, scale)

    def _snapshot(self, curves: Any, raster: Raster | None, marks: tuple[Mark, ...]) -> Snapshot:
        return Snapshot(
            update=self.update,
            steps=0,
            status="running",
            message="",
            values=self.values,
            figures={},
            curves=curves,
            raster=raster,
            pairs=self.pairs(),
            marks=marks,
        )
