"""A worker of a sweep that is the test's own process, and may be told to die."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool


class HereCrew:
    """One worker, this process; it dies of the runs that it is told to die of.

    Args:
        deaths: How often each run kills its worker.
    """

    size, persists = 1, False
    lost = (BrokenProcessPool,)

    def __init__(self, deaths=()):
        self.deaths = Counter(dict(deaths))
        self.did = Counter()
        self._taken = False

    def room(self):
        """A place, but only after the last run has been taken."""
        self._taken = not self._taken
        return int(self._taken)

    def submit(self, task, job):
        future, index = Future(), int(job.folder[-4:])
        self.did[index] += 1
        if self.deaths[index]:
            self.deaths[index] -= 1
            future.set_exception(BrokenProcessPool("shot"))
        else:
            future.set_result(task(job))
        return future

    def close(self, kill=False):
        """Nobody has to go."""
