"""Keeps a client supplied with a living worker: one thread that listens, notices loss, replaces.

lost        the pipe has closed, or no sign of life came for `heartbeat` seconds
replaced    by a fresh process, to which the client says how to go on
given up    after `MOST_LOSSES` within `LOSS_SECONDS`: something kills every worker
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Protocol

from bim_explorer.service.messages import Alive, Command, Ended, Failed, Report
from bim_explorer.service.process import END_SECONDS, WorkerLostError, WorkerProcess

log = logging.getLogger(__name__)

#: Seconds without a sign of life after which a worker counts as lost.
HEARTBEAT_SECONDS = 10.0
#: Seconds that a worker gets to its first sign of life: imports and kernels to compile included.
START_SECONDS = 180.0
MOST_LOSSES = 3
LOSS_SECONDS = 120.0
_TICK = 0.5

DIED = "died"
SILENT = "stopped answering"


class Supervised(Protocol):
    """What a supervisor tells its client, always from its own thread."""

    def deliver(self, report: Report) -> None:
        """A report has come."""
        ...

    def revive(self, reason: str) -> Sequence[Command]:
        """The worker was lost: what a fresh one is to be told."""
        ...

    def tick(self) -> None:
        """Half a second has passed, or less."""
        ...


class Supervisor:
    """The life of one client's worker processes.

    Args:
        client: Told of reports and losses.
        spawn: Makes a worker.
        heartbeat: Seconds without a sign of life after which a worker counts as lost.
    """

    def __init__(
        self,
        client: Supervised,
        spawn: Callable[[], WorkerProcess],
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._client = client
        self._spawn = spawn
        self._heartbeat = heartbeat
        self._losses: deque[float] = deque()
        self._over = False
        self._retired = False
        self._meet(spawn())
        self._thread = Thread(target=self._listen, name="supervisor", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The number of the worker's process."""
        return self._worker.pid

    @property
    def over(self) -> bool:
        """Whether it has no worker any more."""
        return not self._thread.is_alive()

    def takes_runs(self, threads: int) -> bool:
        """Whether its worker can take another run, with so many threads."""
        return not self.over and not self._worker.ending and self._worker.threads == threads

    def send(self, command: Command) -> None:
        """Send a command to the worker of now."""
        self._worker.send(command)

    def end(self) -> None:
        """Let the worker close its run and go, and replace it no more."""
        self._worker.ask_to_end()

    def retire(self) -> None:
        """End, and tell the client nothing any more."""
        self._retired = True
        self.end()

    def join(self, seconds: float = END_SECONDS) -> None:
        """Wait for the worker's end, and kill it after so many seconds."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._over = True
            self._worker.kill()

    def _listen(self) -> None:
        while not self._over:
            try:
                report = self._worker.receive(_TICK)
            except WorkerLostError:
                self._lost(DIED)
                continue
            now = time.monotonic()
            if now - self._looked > self._heartbeat:
                self._heard = now  # we slept ourselves: the machine was suspended
            self._looked = now
            if report is not None:
                self._hear(report, now)
            elif now - self._heard > (self._heartbeat if self._met else START_SECONDS):
                self._lost(SILENT)
            if not self._retired:
                self._client.tick()

    def _hear(self, report: Report, now: float) -> None:
        self._heard, self._met = now, True
        if isinstance(report, Ended) or (isinstance(report, Failed) and report.fatal):
            self._over = True
            self._worker.ending = True
            self._worker.wait()
        if not isinstance(report, Alive):
            self._tell(report)

    def _tell(self, report: Report) -> None:
        try:
            if not self._retired:
                self._client.deliver(report)
        except Exception:
            log.exception("a report was not taken in")

    def _lost(self, reason: str) -> None:
        self._worker.kill()
        if self._worker.ending:
            self._over = True
            return
        now = time.monotonic()
        self._losses.append(now)
        while now - self._losses[0] > LOSS_SECONDS:
            self._losses.popleft()
        log.warning("engine process %d %s", self.pid, reason)
        if len(self._losses) >= MOST_LOSSES:
            self._give_up(f"The engine {reason} {MOST_LOSSES} times in a row")
            return
        try:
            self._meet(self._spawn())
        except OSError as error:
            self._give_up(f"The engine {reason} and cannot be started again ({error})")
            return
        for command in self._client.revive(reason):
            self._worker.send(command)

    def _meet(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._met = False
        self._heard = self._looked = time.monotonic()

    def _give_up(self, what: str) -> None:
        hint = "its log says why, and the run is kept in its folder."
        if not self._met:
            hint = 'in a script, start runs below `if __name__ == "__main__":`.'
        self._over = True
        self._tell(Failed(f"{what}: {hint}"))
