"""Evaluation of a finished run: its best weights on data it never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from bim_explorer.config import Config
from bim_explorer.core.errors import DataError
from bim_explorer.core.interfaces import Chunk, Task
from bim_explorer.core.registries import need_plugins
from bim_explorer.store.reader import RunReader
from bim_explorer.tasks import build_task
from bim_explorer.tasks.records import RecordTask
from bim_explorer.training.build import build
from bim_explorer.training.checkpoint import load_weights
from bim_explorer.training.judges import VerdictJudge, judge_for
from bim_explorer.training.metrics import measure
from bim_explorer.training.scoring import SCORING_STEPS, score


def evaluate(
    run: str | Path,
    data: str | None = None,
    split: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Score a run's best checkpoint.

    Args:
        run: The run's folder.
        data: Other data of the task's kind; None takes the run's own.
        split: Held-out part to read; None takes "test", or "validation" where there is no test
            part. Of other data of records, None takes all that the run has not seen.
        progress: Told the supervised steps read so far.

    Returns:
        `{"task", "metrics", "n"}`, n the supervised steps, or the records that were judged.
        Areas under curves come with "intervals", 95 % by bootstrap over the records.

    Raises:
        RunError: No run there, one without a checkpoint, or one made with a plugin that is not
            at hand.
        DataError: Data that cannot be read, or has no such split.
    """
    reader = RunReader(Path(run))
    need_plugins(reader.info.get("plugins", {}))
    arrays, facts = reader.checkpoint("best")
    saved = facts["experiment"]
    # A run from before a parameter existed has that parameter's default.
    trained_on = Config.from_values(saved["values"]).values()
    values = trained_on | ({} if data is None else {"data": data})
    task, learner = build(values, saved["task"])
    load_weights(learner.network, arrays)
    judge = judge_for(task)
    chunks = _chunks(task, trained_on, split)
    sums = score(learner.network, chunks, judge, progress, values["credit"])
    metrics = measure(sums, task.metrics)
    result: dict[str, Any] = {"task": values["task"], "metrics": metrics, "n": sums.n}
    if judge is not None:
        result["metrics"] = metrics | judge.metrics()
        result["n"] = judge.n
    if complaints := getattr(task, "complaints", []):
        result["complaints"] = complaints
    if isinstance(judge, VerdictJudge) and (intervals := judge.intervals()):
        result["intervals"] = intervals
    return result


def _chunks(task: Task, trained_on: Mapping[str, Any], split: str | None) -> Iterator[Chunk]:
    """What is scored: a split, or all records that are new."""
    if split is None and isinstance(task, RecordTask):
        if task.data != trained_on["data"]:
            return task.unseen(_files_of(trained_on), SCORING_STEPS)
        split = "test" if task.has("test") else "validation"
    return task.held_out(split or "test", SCORING_STEPS)


def _files_of(values: Mapping[str, Any]) -> set[str]:
    """Names of the files that a run was trained on; none where its data are no longer there."""
    try:
        return cast(RecordTask, build_task(values)).used()
    except DataError:
        return set()
