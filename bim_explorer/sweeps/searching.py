"""A search with Optuna: it asks what to try, is told what came out, and gives up bad trials early.

    ask → run (live validation → prune?) → tell

The ranges are the axes: a random axis is a range (its n plays no part), a grid a choice. The
study's journal lies in the sweep's folder, so the same call again goes on with it: trials that
were stopped are tried again and go on from their checkpoints. Which values are tried depends on
which trial ends first; one worker and one seed give the same trials again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.seeding import seed_of
from bim_explorer.store.files import read_lines
from bim_explorer.store.paths import RunFolder
from bim_explorer.store.reader import VALIDATION_PREFIX
from bim_explorer.sweeps.axes import Axis, Grid
from bim_explorer.sweeps.bar import bar
from bim_explorer.sweeps.crew import Crew, crew, need
from bim_explorer.sweeps.paths import DONE, PRUNED, SweepFolder, stop_path
from bim_explorer.sweeps.plan import Cell, Plan
from bim_explorer.sweeps.result import SweepResult
from bim_explorer.sweeps.runner import Board, Standing, Tell, collect, stop_runs
from bim_explorer.sweeps.scores import higher_is_better
from bim_explorer.sweeps.sweep import opened
from bim_explorer.sweeps.trials import Trials
from bim_explorer.sweeps.work import run_job
from bim_explorer.tasks import TASKS

#: Trials that are never pruned, so that there is something to compare with.
STARTUP_TRIALS = 5


def search(
    base: Config | Plan | str | Path | None = None,
    axes: Mapping[str, Any] | None = None,
    *,
    trials: int = 50,
    updates: int | None = None,
    seconds: float | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[Standing], None] | None = None,
) -> SweepResult:
    """Search the axes for the best validation score.

    Args:
        base: As of `sweep`.
        axes: Ranges (`uniform`, `log_uniform`) and choices (sequences).
        trials: Trials in all; the same call with more of them goes on.
        updates: As of `sweep`.
        seconds: As of `sweep`.
        out: As of `sweep`.
        workers: As of `sweep`.
        scheduler: As of `sweep`.
        progress: As of `sweep`.

    Returns:
        As of `sweep`, over the dimension `trial`.

    Raises:
        ConfigError: As of `sweep`.
        SweepError: Optuna is not installed, or workers cannot be had.
    """
    optuna = need("optuna", "a search")
    plan = base if isinstance(base, Plan) else Plan(base, axes, updates=updates, seconds=seconds)
    if not plan.axes or "task" in plan.axes:
        raise ConfigError("a search wants at least one axis, and not the task itself")
    if trials < 1:
        raise ConfigError(f"trials must be ≥ 1, got {trials}")
    start = time.monotonic()
    label = f"search-{plan.base.preset or plan.base.task}"
    content = {**plan.to_json(), "search": "optuna"}
    with opened(content, label, out) as folder, crew(workers, scheduler) as hands:
        seeker = _Seeker(optuna, plan, folder, trials)
        if progress is not None:
            complete = seeker.run(hands, progress)
        else:
            with bar(trials) as tell:
                complete = seeker.run(hands, tell)
        SweepResult(folder.path).save()
    return SweepResult(folder.path, None, time.monotonic() - start, not complete)


class _Seeker:
    """One call of a search."""

    def __init__(self, optuna: Any, plan: Plan, folder: SweepFolder, trials: int) -> None:
        self._optuna = optuna
        self._plan = plan
        self._folder = folder
        self._metric = TASKS.load(plan.base.task).metrics[0]
        self._ranges = {name: _range(optuna, axis) for name, axis in plan.axes.items()}
        self._study = self._open()
        self._left = self._leave()
        self._board = Board.open(Trials.read(plan, folder), folder)
        self._board.waiting = deque()
        self._board.total = trials
        self._trials: dict[int, Any] = {}
        self._reported: dict[int, int] = {}

    def run(self, hands: Crew, tell: Tell) -> bool:
        """Try until there are enough; False if it was stopped."""
        board = self._board
        self._folder.stop.unlink(missing_ok=True)
        try:
            tell(board.standing(hands.size))
            while len(board.outcomes) < board.total or board.pending or board.waiting:
                while self._has_room(hands):
                    cell = board.waiting.popleft() if board.waiting else self._ask()
                    board.pending[hands.submit(run_job, board.job(cell))] = cell
                for cell, outcome in collect(board, hands):
                    self._tell(cell, outcome)
                for cell in board.pending.values():
                    self._watch(cell)
                tell(board.standing(hands.size))
        except KeyboardInterrupt:
            stop_runs(board, hands)
            return False
        except BaseException:
            self._folder.stop.touch()
            raise
        return True

    def _has_room(self, hands: Crew) -> bool:
        board = self._board
        wanted = len(board.outcomes) + len(board.pending) < board.total
        return bool(board.waiting or wanted) and len(board.pending) < hands.size

    def _open(self) -> Any:
        optuna = self._optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal = optuna.storages.journal
        backend = journal.JournalFileBackend(str(self._folder.trials))
        study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend),
            study_name="search",
            load_if_exists=True,
            direction="maximize" if higher_is_better(self._metric) else "minimize",
            pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, n_warmup_steps=10),
        )
        # A study that goes on must not ask for the same again.
        seed = seed_of(self._plan.base.seed, f"search {len(study.trials)}") % 2**32
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        return study

    def _leave(self) -> list[tuple[dict[str, Any], Path]]:
        """Let go of trials that an earlier call left running: they are asked for anew, first."""
        state = self._optuna.trial.TrialState
        left = []
        for trial in self._study.get_trials(states=(state.RUNNING,)):
            self._study.tell(trial.number, state=state.FAIL)
            self._study.enqueue_trial(trial.params)
            left.append((trial.params, self._folder.run(trial.number)))
        return left

    def _ask(self) -> Cell:
        trial = self._study.ask(self._ranges)
        self._trials[trial.number] = trial
        for params, path in self._left:
            if params == trial.params and path.exists():
                path.rename(self._folder.run(trial.number))
                break
        return Cell(trial.number, (trial.number,), dict(trial.params))

    def _tell(self, cell: Cell, outcome: Mapping[str, Any]) -> None:
        state = self._optuna.trial.TrialState
        score = (outcome.get("metrics") or {}).get(self._metric)
        if outcome["status"] == DONE and score is not None:
            self._study.tell(cell.index, score)
        elif outcome["status"] == PRUNED:
            self._study.tell(cell.index, state=state.PRUNED)
        else:
            self._study.tell(cell.index, state=state.FAIL)

    def _watch(self, cell: Cell) -> None:
        """Report new validation scores of a running trial, and have a bad one stopped."""
        folder, trial = self._folder.run(cell.index), self._trials[cell.index]
        name, seen = f"{VALIDATION_PREFIX}{self._metric}", self._reported.get(cell.index, 0)
        for row in read_lines(RunFolder(folder).metrics):
            if row["update"] > seen and row.get(name) is not None:
                self._reported[cell.index] = row["update"]
                trial.report(row[name], row["update"])
                if trial.should_prune():
                    stop_path(folder).touch()
                    return


def _range(optuna: Any, axis: Axis) -> Any:
    spaces = optuna.distributions
    if isinstance(axis, Grid):
        return spaces.CategoricalDistribution(axis.values)
    if isinstance(axis.low, int):
        return spaces.IntDistribution(axis.low, int(axis.high), log=axis.log)
    return spaces.FloatDistribution(axis.low, axis.high, log=axis.log)
