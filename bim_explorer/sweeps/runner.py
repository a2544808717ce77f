"""Running a plan: hand out runs, take their outcomes, try lost ones again, stop in good order.

    waiting → running → done | diverged | failed (after its last attempt) | stopped

A run counts as finished when its folder says so, whoever wrote that and when: the same call
again goes on where the last one stopped.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bim_explorer.core.errors import BimError
from bim_explorer.sweeps.crew import Crew, SweepError
from bim_explorer.sweeps.paths import (
    FAILED,
    FINAL,
    RUNNING,
    STOPPED,
    SweepFolder,
    error_path,
    read_outcome,
    standing,
    write_outcome,
)
from bim_explorer.sweeps.plan import Cell, Plan
from bim_explorer.sweeps.work import Job, run_job

#: Attempts at a run that fails or whose process is killed.
ATTEMPTS = 3
#: Seconds between two looks at the runs.
LOOK_SECONDS = 0.5
#: Seconds that running runs get to stop.
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a sweep is.

    Attributes:
        total: Runs of the plan.
        done: Runs that have ended, those that failed included.
        failed: Runs that failed or diverged.
        running: Runs handed out.
        seconds: Time since this call began.
        left: Seconds that the rest will take; None before anything is known.
        folder: The sweep's folder; `open_sweep` of it gives the results so far.
        newest: Axis values and outcome of the run that ended last, if one has in this call.
    """

    total: int
    done: int
    failed: int
    running: int
    seconds: float
    left: float | None
    folder: SweepFolder
    newest: dict[str, Any] | None


Tell = Callable[[Standing], None]


@dataclass
class Board:
    """The book of one call: what waits, what runs, what has ended."""

    plan: Plan
    folder: SweepFolder
    waiting: deque[Cell]
    attempts: dict[int, int] = field(default_factory=dict)
    pending: dict[Future[Any], Cell] = field(default_factory=dict)
    outcomes: dict[int, dict[str, Any]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    newest: dict[str, Any] | None = None
    start: float = field(default_factory=time.monotonic)
    total: int = 0

    @classmethod
    def open(cls, plan: Plan, folder: SweepFolder) -> Board:
        """What is left of a plan."""
        found = {cell.index: read_outcome(folder.run(cell.index)) for cell in plan.cells}
        ended = {i: told for i, told in found.items() if told and told["status"] in FINAL}
        waiting = deque(cell for cell in plan.turn if cell.index not in ended)
        return cls(plan, folder, waiting, outcomes=ended, total=len(plan))

    def job(self, cell: Cell) -> Job:
        """The next attempt at a run."""
        self.attempts[cell.index] = self.attempts.get(cell.index, 0) + 1
        values = self.plan.config(cell.changes).values()
        path = str(self.folder.run(cell.index).absolute())
        limits = (self.plan.updates, self.plan.seconds)
        return Job(path, values, *limits, attempt=self.attempts[cell.index])

    def note(self, cell: Cell, outcome: dict[str, Any]) -> bool:
        """Take an outcome; whether the run has ended, for it may be tried again."""
        if outcome["status"] == FAILED and self.attempts[cell.index] < ATTEMPTS:
            self.waiting.appendleft(cell)
            return False
        if outcome["status"] == STOPPED:
            return False
        self.outcomes[cell.index] = outcome
        self.times.append(outcome["seconds"])
        self.newest = {**cell.changes, **outcome, "run": str(self.folder.run(cell.index))}
        return True

    def standing(self, workers: int) -> Standing:
        """How far it is."""
        rest = self.total - len(self.outcomes)
        mean = sum(self.times) / len(self.times) if self.times else None
        bad = sum(told["status"] not in ("done", "pruned") for told in self.outcomes.values())
        return Standing(
            total=self.total,
            done=len(self.outcomes),
            failed=bad,
            running=min(len(self.pending), workers),
            seconds=time.monotonic() - self.start,
            left=None if mean is None else mean * rest / workers,
            folder=self.folder,
            newest=self.newest,
        )


def run_plan(plan: Plan, folder: SweepFolder, workers: Crew, tell: Tell) -> bool:
    """Do all runs of a plan that are not done yet.

    Args:
        plan: What to run.
        folder: Where; the folder is there.
        workers: Who does it.
        tell: Called about twice a second and whenever a run has ended. KeyboardInterrupt raised
            there or by the user stops the sweep; a second one kills what still runs.

    Returns:
        Whether it came to its end; False if it was stopped.

    Raises:
        SweepError: The workers have all gone.
    """
    board = Board.open(plan, folder)
    folder.stop.unlink(missing_ok=True)
    try:
        tell(board.standing(workers.size))
        while board.waiting or board.pending:
            while board.waiting and workers.room() > 0:
                cell = board.waiting.popleft()
                board.pending[workers.submit(run_job, board.job(cell))] = cell
            collect(board, workers)
            tell(board.standing(workers.size))
    except KeyboardInterrupt:
        stop_runs(board, workers)
        return False
    except BaseException:
        folder.stop.touch()
        raise
    return True


def collect(board: Board, workers: Crew) -> list[tuple[Cell, dict[str, Any]]]:
    """The runs that have ended for good, after waiting a moment for the next one."""
    ready, _ = wait(board.pending, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
    ended = []
    for future in ready:
        cell = board.pending.pop(future)
        outcome = _outcome(board, cell, future, workers)
        if board.note(cell, outcome):
            ended.append((cell, outcome))
    return ended


def _outcome(board: Board, cell: Cell, future: Future[Any], workers: Crew) -> dict[str, Any]:
    try:
        return future.result()
    except CancelledError:
        raise SweepError(
            "The scheduler has dropped the runs or is gone. Start it again and repeat the call: "
            "finished runs are kept."
        ) from None
    except workers.lost as error:
        if workers.persists:
            board.attempts[cell.index] = ATTEMPTS
        return _lost(board, cell, error)


def _lost(board: Board, cell: Cell, error: BaseException) -> dict[str, Any]:
    """The outcome of a run whose process was killed, as it could not say so itself."""
    folder, attempt = board.folder.run(cell.index), board.attempts[cell.index]
    before = read_outcome(folder) or {}
    text = f"its process was killed (attempt {attempt} of {ATTEMPTS}): {error}"
    outcome = {
        "status": FAILED,
        "error": text,
        "seconds": before.get("seconds", 0.0),
        "attempts": attempt,
    }
    with suppress(OSError, BimError):
        folder.mkdir(parents=True, exist_ok=True)
        with error_path(folder).open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        if attempt >= ATTEMPTS:
            write_outcome(folder, outcome)
    return outcome


def stop_runs(board: Board, workers: Crew) -> None:
    """Ask what runs to stop, and wait until it has; KeyboardInterrupt ends the waiting."""
    board.folder.stop.touch()
    for future in board.pending:
        future.cancel()
    deadline = time.monotonic() + STOP_SECONDS
    running = True
    try:
        while (running := _still_running(board, workers)) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS / 5)
    except KeyboardInterrupt:
        pass
    workers.close(kill=running)


def _still_running(board: Board, workers: Crew) -> bool:
    """Whether a run has not stopped yet: a cluster only says so in the run's folder."""
    if not workers.persists:
        return any(not future.done() for future in board.pending)
    folders = (board.folder.run(cell.index) for cell in board.pending.values())
    return any(standing(folder) == RUNNING for folder in folders)
