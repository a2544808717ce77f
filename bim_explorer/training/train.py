"""Headless training: what `bim-explorer train` and a notebook call."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.functional.chunk import UpdateResult
from bim_explorer.training.experiment import Experiment
from bim_explorer.training.recorder import Recorder

DEFAULT_SECONDS = 60.0
#: Steps of each stream that the final validation reads at the most.
FINAL_STEPS = 16_384


def train(
    config: Config,
    seconds: float | None = None,
    updates: int | None = None,
    out: str | Path | None = None,
    progress: Callable[[UpdateResult, Experiment], None] | None = None,
) -> dict[str, Any]:
    """Train a new run and leave it in its folder.

    Args:
        config: What to train.
        seconds: Time to train for; without it and without `updates`, a minute.
        updates: Updates to train for.
        out: The run's folder; None makes one under `runs/`.
        progress: Called after every update. KeyboardInterrupt raised there or by the user ends
            the training early; the run is closed and its result returned all the same.

    Returns:
        `{"task", "updates", "steps", "steps_per_second", "loss", "metrics", "sparsity",
        "firing_rate", "run"}`; metrics are of the validation split with the last weights. With
        "complaints", a sentence for each record that could not be read, if there are such.

    Raises:
        ConfigError: A limit that is not positive.
        DivergenceError: Learning left its bounds; the folder holds the run up to there.
    """
    for name, limit in (("seconds", seconds), ("updates", updates)):
        if limit is not None and limit <= 0:
            raise ConfigError(f"{name} must be > 0, got {limit}")
    if seconds is None and updates is None:
        seconds = DEFAULT_SECONDS
    recorder = Recorder.open(config.values(), None if out is None else Path(out))
    elapsed = _run(recorder, seconds, updates, progress)
    return result_of(recorder, elapsed, FINAL_STEPS)


def _run(
    recorder: Recorder,
    seconds: float | None,
    updates: int | None,
    progress: Callable[[UpdateResult, Experiment], None] | None,
) -> float:
    start = time.monotonic()
    try:
        for result in recorder.updates():
            if progress:
                progress(result, recorder.experiment)
            enough = updates is not None and result.update >= updates
            if enough or (seconds is not None and time.monotonic() - start >= seconds):
                break
    except KeyboardInterrupt:
        pass
    finally:
        elapsed = time.monotonic() - start
        recorder.close()
    return elapsed


def result_of(recorder: Recorder, elapsed: float, final_steps: int) -> dict[str, Any]:
    """What `train` returns, of a run that is closed.

    Args:
        recorder: The run's.
        elapsed: Seconds that it learned for.
        final_steps: Steps of each stream that the final validation reads at the most.
    """
    experiment = recorder.experiment
    figures = experiment.figures()
    complaints = getattr(experiment.task, "complaints", [])
    return {
        "task": experiment.values["task"],
        "updates": experiment.update,
        "steps": experiment.steps,
        "steps_per_second": experiment.steps / elapsed if elapsed else 0.0,
        "loss": figures.get("loss"),
        "metrics": experiment.validate(final_steps),
        "sparsity": experiment.learner.sparsity,
        "firing_rate": figures.get("firing_rate"),
        "run": str(recorder.writer.folder),
        **({"complaints": complaints} if complaints else {}),
    }
