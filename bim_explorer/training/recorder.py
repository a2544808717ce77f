"""What goes into the run folder, and when: rows of metrics, validation, checkpoints.

last    all of the learner's state, every `CHECKPOINT_SECONDS`, at a pause and at the end
best    the weights with the best validation score so far
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bim_explorer.core.registries import need_plugins
from bim_explorer.functional.chunk import UpdateResult
from bim_explorer.store.reader import RunReader
from bim_explorer.store.writer import RunWriter
from bim_explorer.training.checkpoint import judged_weights
from bim_explorer.training.experiment import ROW_UPDATES, Experiment
from bim_explorer.training.metrics import is_better

CHECKPOINT_SECONDS = 15.0
#: Steps of training for each step of validation, which costs about a fifth of one.
TRAINING_PER_VALIDATION = 5
VALIDATION_STEPS = 512


class Recorder:
    """Keeps a run folder up to date with its experiment.

    Args:
        experiment: What is run.
        writer: Its folder, open for writing.
        history: Where validation stood, from a checkpoint's facts.
    """

    def __init__(
        self,
        experiment: Experiment,
        writer: RunWriter,
        history: Mapping[str, Any] | None = None,
    ) -> None:
        self.experiment = experiment
        self.writer = writer
        self._best: float | None = None if history is None else history["best"]
        self._validation_due = 0 if history is None else history["validation_due"]
        self._validated_at = 0
        self._checkpoint_due = time.monotonic() + CHECKPOINT_SECONDS
        self._replay: list[tuple[int, dict[str, Any]]] = []

    @classmethod
    def open(cls, values: Mapping[str, Any], out: Path | None = None) -> Recorder:
        """A new run in a new folder."""
        experiment = Experiment(values)
        return cls(experiment, RunWriter.create(experiment.values, out))

    @classmethod
    def resume(cls, folder: Path) -> Recorder:
        """Go on from the last checkpoint; later live changes come again at their updates.

        Raises:
            RunError: The folder is no run, has no checkpoint that can be read, or was made with
                a plugin that is not at hand.
        """
        reader = RunReader(folder)
        need_plugins(reader.info.get("plugins", {}))
        arrays, facts = reader.checkpoint("last")
        experiment = Experiment.from_state(arrays, facts["experiment"])
        writer = RunWriter.reopen(folder, experiment.update)
        recorder = cls(experiment, writer, facts["recorder"])
        recorder._replay = [
            (update, changes) for update, changes in reader.changes() if update > experiment.update
        ]
        return recorder

    def updates(self) -> Iterator[UpdateResult]:
        """Train and record, one result an update, for as long as the caller asks.

        Raises:
            DivergenceError: Learning has left its bounds.
        """
        while True:
            yield self.advance()

    def advance(self) -> UpdateResult:
        """Do one update and record it."""
        self._replay_changes()
        result = self.experiment.advance()
        self.after_update(result)
        return result

    def after_update(self, result: UpdateResult) -> None:
        """Write the row that this update closed, and what else is due."""
        if result.update % ROW_UPDATES == 0:
            row, is_best = dict(self.experiment.row), False
            if self.experiment.steps >= self._validation_due:
                scores, is_best = self._validate()
                row |= {f"validation_{name}": score for name, score in scores.items()}
            self.writer.metrics(row)
            if is_best:
                self._write_best()
        if time.monotonic() >= self._checkpoint_due:
            self.checkpoint()

    def change(self, changes: Mapping[str, Any]) -> int:
        """Change live parameters and log it; the update at which they take effect.

        Of a replay that is still to come the new change wins.
        """
        update = self.experiment.apply(changes)
        for _, replayed in self._replay:
            for name in changes:
                replayed.pop(name, None)
        self.writer.event(update, "set", changes)
        return update

    def checkpoint(self) -> None:
        """Write `last` now."""
        arrays, facts = self.experiment.state()
        history = {"best": self._best, "validation_due": self._validation_due}
        self.writer.checkpoint("last", arrays, {"experiment": facts, "recorder": history})
        self._checkpoint_due = time.monotonic() + CHECKPOINT_SECONDS

    def close(self) -> None:
        """Score the last weights, write the last checkpoint and close the folder."""
        if self.experiment.update != self._validated_at and self._validate()[1]:
            self._write_best()
        self.checkpoint()
        self.writer.close()

    def suspend(self) -> None:
        """Write `last` and close the folder: `resume` goes on as if nothing had been."""
        self.checkpoint()
        self.writer.close()

    def _validate(self) -> tuple[dict[str, float], bool]:
        """The scores of now, and whether they are the best so far."""
        experiment = self.experiment
        limit = getattr(experiment.task, "validation_steps", VALIDATION_STEPS)
        scores = experiment.validate(limit)
        cost = limit * experiment.values["batch"]
        self._validation_due = experiment.steps + TRAINING_PER_VALIDATION * cost
        self._validated_at = experiment.update
        leading = experiment.task.metrics[0]
        is_best = leading in scores and is_better(leading, scores[leading], self._best)
        if is_best:
            self._best = scores[leading]
        return scores, is_best

    def _write_best(self) -> None:
        arrays, facts = self.experiment.state()
        self.writer.checkpoint("best", judged_weights(arrays), {"experiment": facts})

    def _replay_changes(self) -> None:
        while self._replay and self._replay[0][0] <= self.experiment.update + 1:
            self.experiment.apply(self._replay.pop(0)[1])
