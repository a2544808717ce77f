"""When the next update and the next snapshot are due."""

from __future__ import annotations

import math

#: Least seconds between two snapshots: live, and no dearer for the engine than it must be.
SNAPSHOT_SECONDS = 1.0 / 10.5


class Pace:
    """Running, paused or some steps from a pause, at full speed or a set one.

    Attributes:
        running: Going on until told otherwise.
    """

    def __init__(self) -> None:
        self.running = False
        self._steps = 0
        self._interval = 0.0
        self._due = 0.0

    @property
    def active(self) -> bool:
        """Whether an update will come without another command."""
        return self.running or self._steps > 0

    def run(self) -> None:
        """Go on."""
        self.running = True

    def pause(self) -> None:
        """Do no further update."""
        self.running, self._steps = False, 0

    def step(self, n: int) -> None:
        """Do `n` updates, then pause."""
        self.running, self._steps = False, self._steps + n

    def limit(self, updates_per_second: float | None) -> None:
        """Hold this speed; None is as fast as it can."""
        self._interval = 1.0 / updates_per_second if updates_per_second else 0.0
        self._due = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next update is due; infinite while paused."""
        return max(self._due - now, 0.0) if self.active else math.inf

    def done(self, now: float) -> None:
        """An update begun at `now` was made."""
        self._due = max(self._due, now) + self._interval
        self._steps = max(self._steps - 1, 0)


class Shutter:
    """Lets a snapshot pass when there is something new, it is time, and the last one was seen."""

    def __init__(self) -> None:
        self._news = False
        self._seen = True
        self._due = 0.0

    def news(self) -> None:
        """There is something to show."""
        self._news = True

    def seen(self) -> None:
        """The last snapshot has arrived."""
        self._seen = True

    def wait(self, now: float) -> float:
        """Seconds until a snapshot may pass; infinite as long as only a command can change that."""
        return max(self._due - now, 0.0) if self._news and self._seen else math.inf

    def passed(self, now: float) -> None:
        """A snapshot was sent."""
        self._news = self._seen = False
        self._due = now + SNAPSHOT_SECONDS
