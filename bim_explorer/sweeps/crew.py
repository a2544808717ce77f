"""Who does the runs: processes of this machine, or a Dask cluster.

Both hand out futures of the standard library. On this machine every worker is a pool of its own
with one process, so that a killed process takes its own run with it and no other; the processes
stay warm from run to run. On Dask the scheduler gives the runs of a lost worker to others.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

from bim_explorer.core.errors import BimError, ConfigError
from bim_explorer.core.machine import cores
from bim_explorer.sweeps.work import prepare, warm_up

_STILLBORN = (
    "A worker process ended before it could begin. In a script, the call must stand below "
    "`if __name__ == '__main__':`; else its message above says why."
)
#: How long a scheduler gets to answer.
PATIENCE = "10s"
_INSTALL = "python -m pip install 'bim-explorer[sweeps]'"


class SweepError(BimError):
    """Workers that cannot be had, or that have all gone."""


class Crew(Protocol):
    """Workers that do one run each at a time.

    Attributes:
        size: How many there are.
        lost: What a future raises whose worker has gone.
        persists: Whether it tries a lost run again by itself.
    """

    size: int
    lost: tuple[type[BaseException], ...]
    persists: bool

    def room(self) -> int:
        """Runs that can be handed in now."""
        ...

    def submit(self, task: Callable[..., Any], *args: Any) -> Future[Any]:
        """Hand in a run."""
        ...

    def close(self, kill: bool = False) -> None:
        """Let the workers go; runs that wait are dropped."""
        ...


class LocalCrew:
    """Processes of this machine.

    Args:
        workers: How many; None takes the machine's cores.
    """

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)
    persists = False

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ConfigError(f"workers must be ≥ 1, got {workers}")
        self.size = workers or cores()
        self._pools: list[ProcessPoolExecutor | None] = [None] * self.size
        self._busy: dict[Future[Any], int] = {}
        self._pids: set[int] = set()
        self._stillborn = False

    def room(self) -> int:
        """Workers without a run."""
        return self.size - len(self._busy)

    def submit(self, task: Callable[..., Any], *args: Any) -> Future[Any]:
        """Give a run to a free worker.

        Raises:
            SweepError: No process can be started.
        """
        if self._stillborn and not self._pids:
            raise SweepError(_STILLBORN)
        slot = min(set(range(self.size)) - set(self._busy.values()))
        pool = self._pools[slot] or self._start(slot)
        try:
            future = pool.submit(task, *args)
        except BrokenProcessPool:  # killed between two runs
            future = self._start(slot).submit(task, *args)
        self._busy[future] = slot
        future.add_done_callback(self._done)
        return future

    def close(self, kill: bool = False) -> None:
        """Let the processes go.

        Args:
            kill: At once, whatever they do.
        """
        if kill:
            for process in multiprocessing.active_children():
                if process.pid in self._pids:
                    process.kill()
        for pool in filter(None, self._pools):
            pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, slot: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, context, initializer=prepare)
        self._pools[slot] = pool
        pool.submit(warm_up).add_done_callback(self._began)
        return pool

    def _began(self, future: Future[int]) -> None:
        if future.cancelled() or future.exception() is not None:
            self._stillborn = True
        else:
            self._pids.add(future.result())

    def _done(self, future: Future[Any]) -> None:
        slot = self._busy.pop(future, None)
        if (
            slot is not None
            and not future.cancelled()
            and isinstance(future.exception(), self.lost)
        ):
            self._pools[slot] = None


class DaskCrew:
    """Workers of a Dask cluster.

    Args:
        address: The scheduler's, such as `tcp://10.0.0.1:8786`.

    Raises:
        SweepError: Dask is not installed, or no scheduler answers there.
    """

    persists = True

    def __init__(self, address: str) -> None:
        distributed = need("distributed", "--scheduler")
        try:
            self._client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise SweepError(
                f"no Dask scheduler answers at {address} ({str(error) or type(error).__name__}): "
                "start one with `dask scheduler`, workers with `dask worker ADDRESS --nthreads 1`"
            ) from error
        self._futures = self._client.get_executor(pure=False)
        self.lost: tuple[type[BaseException], ...] = (distributed.scheduler.KilledWorker,)
        self.size = max(sum(self._client.nthreads().values()), 1)

    def room(self) -> int:
        """No end: the scheduler keeps what waits, and may get more workers for it."""
        return 1_000_000

    def submit(self, task: Callable[..., Any], *args: Any) -> Future[Any]:
        """Hand a run to the scheduler."""
        return self._futures.submit(task, *args)

    def close(self, kill: bool = False) -> None:
        """Drop what waits; the cluster stays."""
        self._futures.shutdown(wait=False)
        self._client.close()


def need(package: str, what: str) -> Any:
    """An optional package.

    Raises:
        SweepError: It is missing; the text says how to get it.
    """
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError as error:
        raise SweepError(f"{what} needs the package {package}: {_INSTALL}") from error


@contextmanager
def crew(workers: int | None, scheduler: str | None) -> Iterator[Crew]:
    """The workers asked for, let go at the end."""
    if scheduler is not None and workers is not None:
        raise ConfigError("workers are the scheduler's own business: give one of the two")
    made: Crew = LocalCrew(workers) if scheduler is None else DaskCrew(scheduler)
    try:
        yield made
    except BaseException:
        made.close(kill=True)
        raise
    made.close()
