"""A small stand-in for the engine behind `Recorder`'s face: numpy only, quick, the same each time.

    weight ← 0.9 weight + learning_rate · noise      one update, about a millisecond

Seeds bring out faults: 13 raises at update 20, 14 cannot be built; a learning_rate of 1 diverges;
`threads` and the rest are as in the real one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError, DivergenceError
from bim_explorer.core.seeding import generator, generator_state, restore_generator
from bim_explorer.store.reader import RunReader
from bim_explorer.store.snapshot import Mark, Raster, Snapshot
from bim_explorer.store.writer import RunWriter

RECORDER = "fake_engine:FakeRecorder"
CHECKPOINT_UPDATES = 50
COLUMNS = 8


class FakeExperiment:
    def __init__(self, values: Mapping[str, Any]) -> None:
        if values["seed"] == 14:
            raise DataError("there is no data for seed 14.")
        self.values = dict(values)
        self.update = self.steps = 0
        self.weight = np.zeros(4)
        self.rng = generator(values["seed"], "fake")
        self.points: list[tuple[int, float]] = []
        self.marks: list[Mark] = []

    def advance(self) -> SimpleNamespace:
        time.sleep(0.001)
        if self.values["learning_rate"] == 1.0:
            raise DivergenceError("learning left its bounds: lower learning_rate.")
        if self.values["seed"] == 13 and self.update == 20:
            raise ValueError("thirteen")
        noise = self.rng.standard_normal(4)
        self.weight = 0.9 * self.weight + self.values["learning_rate"] * noise
        self.update, self.steps = self.update + 1, self.steps + COLUMNS
        self.points.append((self.update, float(self.weight[0])))
        return SimpleNamespace(update=self.update)

    def apply(self, changes: Mapping[str, Any]) -> int:
        self.values |= changes
        self.marks.append(Mark(self.update + 1, dict(changes)))
        return self.update + 1

    def snapshot(self, status: str = "running", message: str = "") -> Snapshot:
        points, marks = self.points, tuple(self.marks)
        self.points, self.marks = [], []
        curve = (np.array([u for u, _ in points]), np.array([v for _, v in points]))
        spikes = np.ones((3, min(len(points) * COLUMNS, 500)), np.uint8)
        return Snapshot(
            update=self.update,
            steps=self.steps,
            status=status,
            message=message,
            values=dict(self.values),
            figures={
                "loss": float(self.weight[0]),
                "threads": float(os.environ["OMP_NUM_THREADS"]),
            },
            curves={"loss": curve} if points else {},
            raster=Raster((("input", 3),), spikes, self.steps) if points else None,
            marks=marks,
        )


class FakeRecorder:
    def __init__(self, experiment: FakeExperiment, writer: RunWriter) -> None:
        self.experiment = experiment
        self.writer = writer
        self.replay: list[tuple[int, dict[str, Any]]] = []

    @classmethod
    def open(cls, values: Mapping[str, Any], out: Path | None = None) -> FakeRecorder:
        return cls(FakeExperiment(values), RunWriter.create(values, out))

    @classmethod
    def resume(cls, folder: Path) -> FakeRecorder:
        reader = RunReader(folder)
        arrays, facts = reader.checkpoint("last")
        experiment = FakeExperiment(facts["values"])
        experiment.weight = arrays["weight"]
        experiment.update, experiment.steps = facts["update"], facts["update"] * COLUMNS
        restore_generator(experiment.rng, facts["rng"])
        recorder = cls(experiment, RunWriter.reopen(folder, experiment.update))
        recorder.replay = [c for c in reader.changes() if c[0] > experiment.update]
        return recorder

    def advance(self) -> None:
        while self.replay and self.replay[0][0] <= self.experiment.update + 1:
            self.experiment.apply(self.replay.pop(0)[1])
        update = self.experiment.advance().update
        row = {"update": update, "steps": self.experiment.steps}
        self.writer.metrics(row | {"loss": float(self.experiment.weight[0])})
        if update % CHECKPOINT_UPDATES == 0:
            self.checkpoint()

    def change(self, changes: Mapping[str, Any]) -> int:
        update = self.experiment.apply(changes)
        self.writer.event(update, "set", changes)
        return update

    def checkpoint(self) -> None:
        experiment = self.experiment
        facts = {
            "values": experiment.values,
            "update": experiment.update,
            "rng": generator_state(experiment.rng),
        }
        self.writer.checkpoint("last", {"weight": experiment.weight}, facts)


class DyingRecorder(FakeRecorder):
    @classmethod
    def open(cls, values: Mapping[str, Any], out: Path | None = None) -> FakeRecorder:
        os._exit(3)
