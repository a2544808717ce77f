"""One spawned worker process as its parent sees it: a pipe, a way to ask it to go, a way to kill.

Sending never blocks: a thread of its own feeds the pipe, so a page stays quick while its worker
is busy. Workers that still live when the parent exits are asked to close their runs. A process
inherits the priority of the thread that starts it, so one thread that never steps back starts all.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from queue import SimpleQueue
from threading import Thread
from weakref import WeakSet

from bim_explorer.core.plugins import plugin_paths
from bim_explorer.service.messages import Command, Report
from bim_explorer.service.worker import RECORDER, main

#: Seconds that a worker gets to write its last checkpoint and go.
END_SECONDS = 10.0

#: How far a thread steps back, in steps of `nice`: on a crowded core a worker gets three times as
#: much as such a thread.
_POLITE = 5

_living: WeakSet[WorkerProcess] = WeakSet()
_starter = ThreadPoolExecutor(1, "worker starter")


def step_back() -> None:
    """Let workers go before the calling thread and what it starts, where cores are short.

    Only Linux gives a thread a priority of its own; elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return
    _starter.submit(time.monotonic).result()  # from now on it has the priority of before
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _POLITE)


class WorkerLostError(Exception):
    """The process has gone."""


class WorkerProcess:
    """A worker, spawned at once.

    Args:
        threads: Threads it computes with.
        recorder: What it trains with, as "module:attribute".
        warm: Get everything ready before a run is asked for.

    Attributes:
        threads: Threads it computes with.
        plugins: The user's files that it knows.
        ending: It was asked to go, so its end is no accident.
    """

    def __init__(self, threads: int, recorder: str = RECORDER, warm: bool = False) -> None:
        context = get_context("spawn")
        self.threads = threads
        self.plugins = plugin_paths()
        self.ending = False
        self._connection, theirs = context.Pipe()
        self._outbox: SimpleQueue[Command | None] = SimpleQueue()
        arguments = (theirs, threads, recorder, warm)
        self._process = context.Process(
            target=main, args=arguments, name="bim-explorer-engine", daemon=True
        )
        _starter.submit(self._process.start).result()
        theirs.close()
        Thread(target=self._feed, name="commands", daemon=True).start()
        _living.add(self)

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.is_alive()

    def send(self, command: Command) -> None:
        """Send a command, in order, without waiting; one to a process that is gone is dropped."""
        self._outbox.put(command)

    def receive(self, timeout: float) -> Report | None:
        """The next report, or None if none came within `timeout` seconds.

        Raises:
            WorkerLostError: None will come any more.
        """
        try:
            return self._connection.recv() if self._connection.poll(timeout) else None
        except (EOFError, OSError) as error:
            raise WorkerLostError from error

    def ask_to_end(self) -> None:
        """Ask it to close its run and go."""
        self.ending = True
        self.send(Command("stop"))

    def wait(self, seconds: float = END_SECONDS) -> None:
        """Wait until the process has gone, and kill it after so many seconds."""
        self._process.join(seconds)
        self.kill()

    def kill(self) -> None:
        """End the process at once, whatever it does; harmless if it has gone."""
        self._process.kill()
        self._process.join()
        self._outbox.put(None)

    def _feed(self) -> None:
        with suppress(OSError):
            while (command := self._outbox.get()) is not None:
                self._connection.send(command)


@atexit.register
def end_all() -> None:
    """Ask all workers of this process to close their runs, and see them go."""
    workers = [worker for worker in _living if worker.alive]
    for worker in workers:
        worker.ask_to_end()
    deadline = time.monotonic() + END_SECONDS
    for worker in workers:
        worker.wait(max(deadline - time.monotonic(), 0.0))
