"""What an experiment gathers between two rows and between two snapshots."""

from __future__ import annotations

import numpy as np

from bim_explorer.store.snapshot import Mark, Pairs
from bim_explorer.training.metrics import Tally


class RowSums:
    """What a row has gathered so far."""

    def __init__(self) -> None:
        self._sums = Tally()
        self._rate = 0.0
        self._updates = 0

    def add(self, sums: Tally, rate: float) -> None:
        """Take in one update."""
        self._sums = self._sums + sums
        self._rate += rate
        self._updates += 1

    def close(self) -> tuple[Tally, float]:
        """Sums and mean firing rate of the row; the next one begins."""
        closed = self._sums, self._rate / max(self._updates, 1)
        self.__init__()
        return closed

    def state(self) -> list[float]:
        """As JSON-able data."""
        sums = self._sums
        return [sums.n, sums.correct, sums.nats, self._rate, self._updates]

    @classmethod
    def from_state(cls, state: list[float]) -> RowSums:
        """What `state` was taken of."""
        row = cls()
        n, correct, nats, row._rate, updates = state
        row._sums, row._updates = Tally(int(n), int(correct), nats), int(updates)
        return row


class FreshPoints:
    """What no snapshot has carried yet."""

    def __init__(self) -> None:
        self._curves: dict[str, list[tuple[int, float]]] = {}
        self.marks: list[Mark] = []
        self.pairs: Pairs | None = None

    def point(self, name: str, update: int, value: float) -> None:
        """Add a point to a curve, the oldest giving way where nobody looks."""
        points = self._curves.setdefault(name, [])
        points.append((update, value))
        del points[:-4096]

    def drain(
        self,
    ) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], tuple[Mark, ...], Pairs | None]:
        """Curves, marks and pairs, and begin anew."""
        curves = {
            name: (np.array([u for u, _ in points]), np.array([v for _, v in points]))
            for name, points in self._curves.items()
        }
        fresh = curves, tuple(self.marks), self.pairs
        self.__init__()
        return fresh
