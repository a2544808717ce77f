"""Who wants to hear of a run's news, and since when nobody has."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

log = logging.getLogger(__name__)


class Watchers:
    """Callbacks that may be added, removed and called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakes: list[Callable[[], None]] = []
        self._since = time.monotonic()

    def __len__(self) -> int:
        return len(self._wakes)

    def add(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` at every piece of news; what is returned ends that, once or more often."""
        entry = partial(wake)
        with self._lock:
            self._wakes.append(entry)

        def remove() -> None:
            with self._lock:
                if entry in self._wakes:
                    self._wakes.remove(entry)
                    self._since = time.monotonic()

        return remove

    def wake(self) -> None:
        """Tell everybody; one who fails is logged and does not keep the news from the others."""
        with self._lock:
            wakes = list(self._wakes)
        for wake in wakes:
            try:
                wake()
            except Exception:
                log.exception("a watcher failed")

    def restart_clock(self) -> None:
        """Reckon from now how long nobody has watched."""
        self._since = time.monotonic()

    @property
    def absent_seconds(self) -> float:
        """For how long nobody has watched; 0 while somebody does."""
        return 0.0 if self._wakes else time.monotonic() - self._since
