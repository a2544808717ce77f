"""An experiment: task, learner and probe of one run, advanced an update at a time.

    chunk from the task → update by the learner → figures and curves → snapshot on request

Figures are gathered over rows of `ROW_UPDATES` updates; a row is what goes into the run folder's
metrics and, as one point each, into the curves. Rows and validation fall on update numbers that
depend on the config alone, so a run with the same seed writes the same rows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.seeding import generator
from bim_explorer.engine.learner import Learner
from bim_explorer.engine.probe import SpikeHistory, look_at_synapses
from bim_explorer.functional.chunk import UpdateResult
from bim_explorer.store.snapshot import Mark, Pairs, Raster, Sample, Snapshot
from bim_explorer.training.build import build
from bim_explorer.training.checkpoint import learner_state, load_learner
from bim_explorer.training.gathering import FreshPoints, RowSums
from bim_explorer.training.judges import judge_for
from bim_explorer.training.metrics import Tally, measure, tally
from bim_explorer.training.scoring import SCORING_STEPS, score

ROW_UPDATES = 10
#: Supervised steps that the shown loss and metric look back on, at least.
FIGURE_SAMPLES = 256
#: Verdicts on records that the shown metric looks back on, at the most.
FIGURE_VERDICTS = 256
#: Steps and channels of a record that the page shows at the most.
SAMPLE_STEPS, SAMPLE_CHANNELS = 1000, 6
#: Seconds between two looks at the synapses.
LOOK_SECONDS = 1.0 / 12.0
#: Seconds that the shown speed is averaged over.
SPEED_SECONDS = 1.0


class Experiment:
    """One run in memory.

    Args:
        values: All flat parameter values.
        task_state: Where an earlier task stood, for a resume.

    Attributes:
        values: The values in force.
        task: Where the chunks come from.
        learner: What learns from them.
        update: Updates done.
        steps: Time steps done, summed over the streams.
        row: The newest complete row of figures.
    """

    def __init__(
        self, values: Mapping[str, Any], task_state: Mapping[str, Any] | None = None
    ) -> None:
        self._config = Config.from_values(values)
        self.values = self._config.values()
        self.task, self.learner = build(self.values, task_state)
        self.update = 0
        self.steps = 0
        self.row: dict[str, float] = {}
        self._pending = RowSums()
        self._recent: deque[Tally] = deque()
        self._validation: dict[str, float] = {}
        self._fresh = FreshPoints()
        self._judge = judge_for(self.task, FIGURE_VERDICTS)
        self._sampled = False
        self._groups = (("input", self.task.d_in), *self.learner.bands)
        self._spikes = SpikeHistory([rows for _, rows in self._groups])
        self._look_rng = generator(self.values["seed"], "probe")
        self._look_due = 0.0
        self._clock: deque[tuple[float, int]] = deque()

    def advance(self) -> UpdateResult:
        """Do one update.

        Raises:
            DivergenceError: Learning has left its bounds; the update was not made.
        """
        now = time.monotonic()
        watch = now >= self._look_due
        chunk = self.task.chunk(self.values["chunk"])
        result = self.learner.update(chunk, watch)
        self.update, self.steps = result.update, self.steps + result.steps
        self._spikes.add(result)
        if watch:
            self._look_due = now + LOOK_SECONDS
            self._look(result)
        self._gather(result, chunk)
        self._keep_time(now)
        return result

    def apply(self, changes: Mapping[str, Any]) -> int:
        """Change live parameters; the number of the update at which they take effect.

        Raises:
            ConfigError: An unknown name, a value out of range, or one that needs a new network.
        """
        for name in changes:
            if name in Config.param and not Config.is_live(name):
                raise ConfigError(f"{name} needs a new network: reset the run to change it")
        self._config.change(changes)
        old, self.values = self.values, self._config.values()
        changed = {name: value for name, value in self.values.items() if value != old[name]}
        for name in self.task.live & changed.keys():
            self.task.set(name, changed[name])
        self.learner.apply(changed)
        if changed:
            self._fresh.marks.append(Mark(self.update + 1, changed))
        return self.update + 1

    def validate(self, limit: int | None = 256) -> dict[str, float]:
        """Metrics on held-out validation data, `limit` steps of each stream at the most."""
        leading = self.task.metrics[0]
        self._validation = self._scores(self.task.held_out("validation", SCORING_STEPS, limit))
        if leading in self._validation:
            self._fresh.point("validation", self.update, self._validation[leading])
        retained = getattr(self.task, "retained", lambda *_: None)(SCORING_STEPS, limit)
        kept = self._scores(retained).get(leading) if retained is not None else None
        if kept is not None:
            self._validation["retention"] = kept
            self._fresh.point("retention", self.update, kept)
        return self._validation

    def _scores(self, chunks: Iterable[Chunk]) -> dict[str, float]:
        judge = judge_for(self.task)
        sums = score(self.learner.judged, chunks, judge, credit=self.values["credit"])
        return measure(sums, self.task.metrics) | (judge.metrics() if judge else {})

    def figures(self) -> dict[str, float]:
        """The newest figures of merit; those unknown yet are left out."""
        sums = sum(self._recent, Tally())
        leading = self.task.metrics[0]
        # What a judge tells costs milliseconds: it is asked once a row, not for every picture.
        shown = self.row if self._judge else measure(sums, (leading,))
        synapses = self.learner.synapses
        gradient, stdp = synapses[0].squares.rms() if synapses else (0.0, 0.0)
        figures = {
            "sparsity": self.learner.sparsity,
            "threshold": self.learner.threshold,
            "steps_per_second": self.steps_per_second,
        }
        figures |= {"metric": shown[leading]} if leading in shown else {}
        figures |= {"loss": sums.nats / sums.n} if sums.n else {}
        figures |= {k: self.row[k] for k in ("firing_rate",) if k in self.row}
        figures |= {"gradient_rms": gradient, "stdp_rms": stdp} if gradient else {}
        if leading in self._validation:
            figures["validation"] = self._validation[leading]
        return figures

    @property
    def steps_per_second(self) -> float:
        """Speed of late, pauses left out of view after a second."""
        if len(self._clock) < 2:
            return 0.0
        (start, first), (end, last) = self._clock[0], self._clock[-1]
        return (last - first) / (end - start) if end > start else 0.0

    def snapshot(self, status: str = "running", message: str = "") -> Snapshot:
        """A picture of now, with the increments gathered since the last one."""
        curves, marks, pairs = self._fresh.drain()
        columns = self._spikes.take()
        raster = Raster(self._groups, columns, self._spikes.end) if columns.size else None
        return Snapshot(
            update=self.update,
            steps=self.steps,
            status=status,
            message=message or self._complaint(),
            values=dict(self.values),
            figures=self.figures(),
            curves=curves,
            raster=raster,
            pairs=pairs,
            marks=marks,
            sample=self._take_sample(),
        )

    def _take_sample(self) -> Sample | None:
        """A record of the task's signals, the first time that there is one."""
        found = None if self._sampled else getattr(self.task, "sample", lambda: None)()
        if found is None:
            return None
        self._sampled = True
        signal, spikes = (part[:SAMPLE_STEPS] for part in found)
        return Sample(signal[:, :SAMPLE_CHANNELS].copy(), spikes.copy())

    def _complaint(self) -> str:
        """What the task complains about: its newest sentence, and how many there are."""
        complaints = getattr(self.task, "complaints", [])
        count = f" ({len(complaints)} such remarks on the data)" if len(complaints) > 1 else ""
        return f"{complaints[-1]}{count}" if complaints else ""

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and JSON-able facts that an exact resume needs."""
        arrays, facts = learner_state(self.learner)
        recent = [(t.n, t.correct, t.nats) for t in self._recent]
        return arrays, {
            "values": self.values,
            "steps": self.steps,
            "learner": facts,
            "task": self.task.state(),
            "pending": self._pending.state(),
            "recent": recent,
            "row": self.row,
            "validation": self._validation,
            "judge": self._judge.state() if self._judge else None,
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> Experiment:
        """The experiment that `state` was taken of, going on exactly."""
        experiment = cls(facts["values"], facts["task"])
        load_learner(experiment.learner, arrays, facts["learner"])
        experiment.update = facts["learner"]["update"]
        experiment.steps = facts["steps"]
        experiment.row = dict(facts["row"])
        experiment._pending = RowSums.from_state(facts["pending"])
        experiment._recent = deque(Tally(*sums) for sums in facts["recent"])
        experiment._validation = dict(facts["validation"])
        if experiment._judge:
            experiment._judge.load_state(facts["judge"])
        return experiment

    def _look(self, result: UpdateResult) -> None:
        if not isinstance(self.learner, Learner):
            return
        look = look_at_synapses(self.learner, result, self._spikes, self._look_rng)
        if look is not None:
            delta_t = look.delta_t * self.values["dt_ms"]
            parts = (look.stdp, look.gradient, look.total, look.pair_scale)
            self._fresh.pairs = Pairs(result.update, delta_t, *parts)

    def _gather(self, result: UpdateResult, asked: Chunk) -> None:
        chunk = result.chunk
        sums = tally(result.logits, chunk.target, chunk.mask, asked.surcharge)
        rate = sum(float(t.z.mean()) for t in result.traces) / max(len(result.traces), 1)
        self._pending.add(sums, rate)
        if self._judge:
            self._judge.add(result.logits.cpu().numpy(), asked)
        if sums.n:
            self._recent.append(sums)
            total = sum(tally.n for tally in self._recent)
            while total - self._recent[0].n >= FIGURE_SAMPLES:
                total -= self._recent.popleft().n
        if self.update % ROW_UPDATES == 0:
            self.row = self._close_row()

    def _close_row(self) -> dict[str, float]:
        sums, rate = self._pending.close()
        row: dict[str, float] = {"update": self.update, "steps": self.steps}
        if sums.n:
            row["loss"] = sums.nats / sums.n
            row |= measure(sums, self.task.metrics)
            self._fresh.point("loss", self.update, row["loss"])
        row |= self._judge.metrics() if self._judge else {}
        if self.task.metrics[0] in row:
            self._fresh.point("metric", self.update, row[self.task.metrics[0]])
        now = {"sparsity": self.learner.sparsity, "threshold": self.learner.threshold}
        spiking = {"firing_rate": rate} if self.learner.bands else {}
        for name, value in {**now, **spiking}.items():
            row[name] = value
            self._fresh.point(name, self.update, value)
        return row

    def _keep_time(self, now: float) -> None:
        self._clock.append((now, self.steps))
        while len(self._clock) > 2 and now - self._clock[0][0] > SPEED_SECONDS:
            self._clock.popleft()
