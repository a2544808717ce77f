"""What a history keeps of one curve and of the raster: bounded, whatever a run's length."""

from __future__ import annotations

import numpy as np

#: Points that a curve keeps; beyond, every second one is dropped.
CURVE_POINTS = 4000
#: Columns of the raster that are kept.
RASTER_COLUMNS = 1000
#: Columns that may be missing between two pieces of the raster without its starting anew.
SMALL_GAP = 100


class KeptCurve:
    """Points of one curve, evenly spaced: every `stride`-th of those that came."""

    def __init__(self) -> None:
        self._updates = np.empty(CURVE_POINTS, np.int64)
        self._values = np.empty(CURVE_POINTS)
        self._kept = 0
        self._came = 0
        self._stride = 1

    def extend(self, updates: np.ndarray, values: np.ndarray) -> bool:
        """Append points; True if older ones were thinned out."""
        numbers = self._came + np.arange(len(updates))
        self._came += len(updates)
        thinned = False
        while self._kept + np.count_nonzero(numbers % self._stride == 0) > CURVE_POINTS:
            self._thin()
            thinned = True
        fresh = numbers % self._stride == 0
        end = self._kept + int(np.count_nonzero(fresh))
        self._updates[self._kept : end] = updates[fresh]
        self._values[self._kept : end] = values[fresh]
        self._kept = end
        return thinned

    def cut(self, update: int) -> None:
        """Forget the points behind `update`."""
        self._kept = int(np.searchsorted(self._updates[: self._kept], update, side="right"))
        self._came = self._kept and (self._kept - 1) * self._stride + 1

    def since(self, index: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Copies of the kept points from `index` on, and how many are kept."""
        window = slice(min(index, self._kept), self._kept)
        return self._updates[window].copy(), self._values[window].copy(), self._kept

    def _thin(self) -> None:
        half = (self._kept + 1) // 2
        self._updates[:half] = self._updates[: self._kept : 2]
        self._values[:half] = self._values[: self._kept : 2]
        self._kept, self._stride = half, self._stride * 2


class RasterRing:
    """The newest columns of the raster, in a ring.

    Args:
        rows: Rows of a column.

    Attributes:
        end: Step behind the last column.
        start: Step of the first column that is kept.
    """

    def __init__(self, rows: int) -> None:
        self._ring = np.zeros((rows, RASTER_COLUMNS), np.uint8)
        self.start = 0
        self.end = 0

    def append(self, columns: np.ndarray, end: int) -> bool:
        """Take the columns that end at step `end`; True if they go back in time."""
        columns = columns[:, -RASTER_COLUMNS:]
        begin = end - columns.shape[1]
        back = begin < self.end
        if back or self.start == self.end or begin - self.end > SMALL_GAP:
            self.start = begin
        else:
            self._ring[:, np.arange(self.end, begin) % RASTER_COLUMNS] = 0
        self._ring[:, np.arange(begin, end) % RASTER_COLUMNS] = columns
        self.end = end
        self.start = max(self.start, end - RASTER_COLUMNS)
        return back

    def since(self, step: int) -> tuple[np.ndarray, int]:
        """A copy of the kept columns from `step` on, and the step of the first of them."""
        first = min(max(step, self.start), self.end)
        return self._ring[:, np.arange(first, self.end) % RASTER_COLUMNS], first
