"""A run as its watchers see it: commands go down, state and history come up.

Plain threads only: it serves a notebook as it serves a page. One thread, the supervisor's, writes
the state; anyone may read it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.core.machine import resolve_threads
from bim_explorer.service.history import History
from bim_explorer.service.messages import Command, Ended, Failed, Notice, Opened, Report, Shown
from bim_explorer.service.process import END_SECONDS, WorkerProcess
from bim_explorer.service.supervisor import HEARTBEAT_SECONDS, Supervisor
from bim_explorer.service.watchers import Watchers
from bim_explorer.service.wishes import Wishes
from bim_explorer.store.reader import RunReader
from bim_explorer.store.snapshot import Snapshot


class RunClient:
    """One run in a worker process of its own.

    Args:
        spawn: Makes a worker that computes with so many threads.
        idle_seconds: A run that nobody subscribes to for so long pauses itself; None: never.
        heartbeat: Seconds without a sign of life after which the worker is replaced.

    Attributes:
        id: A name for links, the same for the client's whole life.
        folder: The run folder; None before the first run stands.
        values: Parameter values in force.
        status: "starting", "running", "paused", "diverged", "restarting", "failed" or "finished".
        message: One sentence for the user, empty if there is nothing to say.
        update: Updates done.
        latest: The newest snapshot of this run.
        history: What the snapshots brought, bounded.
        restarts: Times that a lost worker was replaced.

    Example:
        >>> run = RunClient()
        >>> run.start(Config(preset="recall").values())
        >>> run.set({"credit": "truncated"})
    """

    def __init__(
        self,
        spawn: Callable[[int], WorkerProcess] = WorkerProcess,
        idle_seconds: float | None = None,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.id = uuid4().hex[:8]
        self.folder: Path | None = None
        self.values: dict[str, Any] = {}
        self.status = "finished"
        self.message = ""
        self.update = 0
        self.latest: Snapshot | None = None
        self.history = History()
        self.restarts = 0
        self._spawn = spawn
        self._idle_seconds = idle_seconds
        self._heartbeat = heartbeat
        self._supervisor: Supervisor | None = None
        self._lock = threading.RLock()
        self._watchers = Watchers()
        self._pending: deque[Command] = deque()
        self._wishes = Wishes()
        self._loss: tuple[str, int] | None = None

    @property
    def standing(self) -> bool:
        """Whether a worker holds the run: it is neither finished nor failed."""
        return self.status not in ("finished", "failed")

    @property
    def wished(self) -> dict[str, Any]:
        """Values in force once the worker has taken what was asked of it."""
        with self._lock:
            return self._wishes.values()

    @property
    def held_speed(self) -> float | None:
        """The speed that `speed` asked for [updates/s]; None is as fast as it can."""
        return self._wishes.speed

    @property
    def pid(self) -> int | None:
        """The worker's process number; None if there is none."""
        return self._supervisor.pid if self._supervisor and self.standing else None

    def start(
        self, values: Mapping[str, Any], out: str | Path | None = None, paused: bool = False
    ) -> None:
        """Start a new run, in the place of the one before.

        Args:
            values: Flat parameter values; those left out have their defaults.
            out: The run's folder, new or empty; None makes one where runs live.
            paused: Build it and wait.

        Raises:
            ConfigError: A value that cannot be used.
        """
        full = Config.from_values(values).values()
        self._begin(Command("start", (full, str(out) if out else None, None, paused)), full)

    def open(self, folder: str | Path, paused: bool = False) -> None:
        """Go on with a run folder from its last checkpoint.

        Raises:
            RunError: It is no run folder.
        """
        values = RunReader(folder).values
        self._begin(Command("open", (str(folder), paused)), values)

    def reset(self, values: Mapping[str, Any] | None = None) -> None:
        """Start anew beside the present folder: the same seed and values, but for `values`.

        Raises:
            ConfigError: A value that cannot be used.
        """
        with self._lock:
            full = Config.from_values({**self._wishes.values(), **(values or {})}).values()
        root = str(self.folder.parent) if self.folder else None
        paused = self._wishes.paused and self.status == "paused"
        self._begin(Command("start", (full, None, root, paused)), full)

    def set(self, values: Mapping[str, Any]) -> None:
        """Change live parameters at the next update; a mark in a snapshot acknowledges it.

        Raises:
            ConfigError: A value that cannot be used, or one that needs a new network.
            RunError: There is no run to change.
        """
        with self._lock:
            worker = self._require()
            worker.send(Command("set", (self._wishes.change(values),)))

    def pause(self) -> None:
        """Stop between two updates; a checkpoint is written."""
        self._send(Command("pause"))
        self._wishes.paused = True

    def resume(self) -> None:
        """Go on."""
        self._send(Command("resume"))
        self._wishes.paused, self.message = False, ""

    def step(self, n: int = 1) -> None:
        """Do `n` updates, then pause.

        Raises:
            ConfigError: n is not positive.
        """
        if n < 1:
            raise ConfigError(f"n must be ≥ 1, got {n}")
        self._send(Command("step", (int(n),)))
        self._wishes.paused, self.message = True, ""

    def speed(self, updates_per_second: float | None) -> None:
        """Hold a speed; None is as fast as it can.

        Raises:
            ConfigError: The speed is not positive.
        """
        if updates_per_second is not None and not updates_per_second > 0:
            raise ConfigError(f"updates_per_second must be > 0, got {updates_per_second}")
        self._wishes.speed = updates_per_second
        self._send(Command("speed", (updates_per_second,)))

    def checkpoint(self) -> None:
        """Write the state to the run folder now."""
        self._send(Command("checkpoint"))

    def stop(self) -> None:
        """Write the last checkpoint and let the worker go; harmless where there is none."""
        if self._supervisor is not None:
            self._supervisor.end()

    def join(self, seconds: float = END_SECONDS) -> None:
        """Wait until a stopped worker has gone, and kill it after so many seconds."""
        if self._supervisor is not None:
            self._supervisor.join(seconds)

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called, from another thread, after every snapshot and change of status.

        Returns:
            What ends it.
        """
        return self._watchers.add(wake)

    @property
    def watchers(self) -> int:
        """How many subscribe to this run."""
        return len(self._watchers)

    def deliver(self, report: Report) -> None:
        """Take in what the worker says."""
        with self._lock:
            match report:
                case Shown(snapshot):
                    self._show(snapshot)
                case Opened():
                    self._opened(report)
                case Notice(message, refused):
                    self.message = message
                    self._wishes.refused(refused, self.values)
                case Failed(message):
                    self._pending.clear()
                    self.status, self.message = "failed", message
                case Ended():
                    self.status = "finished"
        self._watchers.wake()

    def revive(self, reason: str) -> Sequence[Command]:
        """Say how a fresh worker goes on from where the lost one was."""
        with self._lock:
            command = self._way_back() if self.standing else None
            if command is None:
                return ()
            self.restarts += 1
            if self._pending:
                self.message = f"The engine {reason} while starting and is started again."
            else:
                self._loss = (reason, self.update)
            self._pending = deque([command])
            self.status = "restarting"
        self._watchers.wake()
        return (command, Command("speed", (self._wishes.speed,)))

    def tick(self) -> None:
        """Pause a run that nobody has watched for long."""
        limit = self._idle_seconds
        if limit is None or self._watchers.absent_seconds < limit or self.status != "running":
            return
        self._send(Command("pause"))
        self.message = f"Paused because nobody watched for {_span(limit)}: run to go on."
        self._watchers.wake()

    def _begin(self, command: Command, values: dict[str, Any]) -> None:
        with self._lock:
            threads = resolve_threads(values["threads"])
            supervisor = self._supervisor
            if supervisor is not None and not supervisor.takes_runs(threads):
                supervisor.retire()
                supervisor = None
            if supervisor is None:
                self._supervisor = supervisor = Supervisor(
                    self, partial(self._spawn, threads), self._heartbeat
                )
                supervisor.send(Command("speed", (self._wishes.speed,)))
                self._pending.clear()
            self._pending.append(command)
            self._wishes.begin(values, command.arguments[-1])
            self._loss = None
            self._watchers.restart_clock()
            self.values, self.latest, self.update = dict(values), None, 0
            self.status, self.message = "starting", ""
            supervisor.send(command)
        self._watchers.wake()

    def _way_back(self) -> Command | None:
        if not self._pending:
            paused = self._wishes.paused or self.status == "diverged"
            return Command("open", (str(self.folder), paused)) if self.folder else None
        command = self._pending[-1]
        if command.name == "open":
            return Command("open", (command.arguments[0], self._wishes.paused))
        # a start that was cut off may have left its folder half made: take another one beside it
        values, out, root, _ = command.arguments
        return Command(
            "start", (values, None, str(Path(out).parent) if out else root, self._wishes.paused)
        )

    def _opened(self, report: Opened) -> None:
        command = self._pending.popleft() if self._pending else None
        self.folder, self.update = Path(report.folder), report.update
        self.values = dict(report.values)
        self._wishes.opened(self.values)
        if self._loss is not None:
            self._recovered(*self._loss)
        elif command is not None and command.name == "open":
            reader = RunReader(self.folder)
            self.history.begin(reader.curves(), reader.changes())
        else:
            self.history.clear()

    def _recovered(self, reason: str, update: int) -> None:
        """After a loss: cut what comes again, and ask again for what no event has logged."""
        self._loss = None
        assert self.folder is not None
        self.history.cut(self.update)
        unlogged = self._wishes.unlogged(RunReader(self.folder).changes())
        if unlogged:
            self._send(Command("set", (unlogged,)))
        self.message = (
            f"The engine {reason} at update {update} and went on from its checkpoint "
            f"at update {self.update}."
        )

    def _show(self, snapshot: Snapshot) -> None:
        if self._supervisor is not None:
            self._supervisor.send(Command("seen"))
        if self._pending:
            return
        self.history.add(snapshot)
        self.latest, self.update = snapshot, snapshot.update
        self.values = dict(snapshot.values)
        self.status = snapshot.status
        self.message = snapshot.message or self.message
        self._wishes.seen(self.values)

    def _require(self) -> Supervisor:
        if self._supervisor is None or self._supervisor.over or not self.standing:
            raise RunError("No run is going: start one first.")
        return self._supervisor

    def _send(self, command: Command) -> None:
        self._require().send(command)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
