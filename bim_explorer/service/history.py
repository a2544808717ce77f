"""What the watchers of a run can ask for, gathered from its snapshots by one thread for all.

A watcher remembers `generation` and how far it has read, and asks for what is new; where the
generation has moved on it draws from scratch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

import numpy as np

from bim_explorer.service.kept import KeptCurve, RasterRing
from bim_explorer.store.snapshot import Mark, Pairs, Raster, Sample, Snapshot

#: Marks that are kept, the newest.
MARKS = 500

Points = tuple[np.ndarray, np.ndarray]


class History:
    """Bounded curves, a ring of raster columns, marks and pairs of one run. Thread-safe.

    Attributes:
        generation: Raised when what is kept changed other than by appending.
        pairs: The newest sampled synapses, or None.
        sample: A record of signals beside its spikes, or None.
        raster_groups: Name and row count of each band of the raster.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything: another run begins."""
        with self._lock:
            self._curves: dict[str, KeptCurve] = {}
            self._marks: dict[int, dict[str, Any]] = {}
            self._ring = RasterRing(0)
            self.raster_groups: tuple[tuple[str, int], ...] = ()
            self.pairs: Pairs | None = None
            self.sample: Sample | None = None
            self.generation += 1

    def begin(
        self, curves: Mapping[str, Points], changes: Sequence[tuple[int, dict[str, Any]]]
    ) -> None:
        """Start with the past of a run that is opened again: its curves and live changes."""
        with self._lock:
            self.clear()
            self._extend(curves)
            for update, values in changes:
                self._mark(Mark(update, values))

    def cut(self, update: int) -> None:
        """Forget what lies behind `update`: the run goes on from there once more.

        Marks stay: the same changes come again at the same updates.
        """
        with self._lock:
            for curve in self._curves.values():
                curve.cut(update)
            self._ring = RasterRing(sum(rows for _, rows in self.raster_groups))
            self.generation += 1

    def add(self, snapshot: Snapshot) -> None:
        """Append what a snapshot brings."""
        with self._lock:
            redraw = self._extend(snapshot.curves)
            if snapshot.raster is not None:
                redraw |= self._append(snapshot.raster)
            for mark in snapshot.marks:
                self._mark(mark)
            self.pairs = snapshot.pairs or self.pairs
            self.sample = snapshot.sample or self.sample
            self.generation += redraw

    def curve(self, name: str) -> Points:
        """All kept points (update, value) of a curve; none of one that is not known yet."""
        updates, values, _ = self.curve_since(name, 0)
        return updates, values

    def curve_since(self, name: str, index: int) -> tuple[np.ndarray, np.ndarray, int]:
        """The kept points of a curve from `index` on, and the index to ask from next."""
        with self._lock:
            return self._curves.get(name, KeptCurve()).since(index)

    def raster_since(self, step: int) -> tuple[np.ndarray, int]:
        """Kept columns, uint8 (rows, n), from `step` on, and the step of the first of them.

        That is later than asked for where columns are no longer kept or never came.
        """
        with self._lock:
            return self._ring.since(step)

    @property
    def raster_end(self) -> int:
        """Step behind the last column."""
        return self._ring.end

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The newest live changes, in the order of their updates."""
        with self._lock:
            return tuple(Mark(update, self._marks[update]) for update in sorted(self._marks))

    def _extend(self, curves: Mapping[str, Points]) -> bool:
        thinned = [
            self._curves.setdefault(name, KeptCurve()).extend(*points)
            for name, points in curves.items()
        ]
        return any(thinned)

    def _append(self, raster: Raster) -> bool:
        other = raster.groups != self.raster_groups
        if other:
            self.raster_groups = raster.groups
            self._ring = RasterRing(len(raster.spikes))
        return self._ring.append(raster.spikes, raster.end) or other

    def _mark(self, mark: Mark) -> None:
        known = self._marks.get(mark.update, {})
        self._marks[mark.update] = {**known, **mark.values}
        while len(self._marks) > MARKS:
            del self._marks[min(self._marks)]
