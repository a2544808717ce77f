"""One run of a sweep, in whatever process it is given to: start it or go on with it, and tell.

    nothing there            → a new run
    stopped, with checkpoint → the run goes on from it
    killed before any        → the run starts anew

Everything it must know is in its job, everything it tells in its folder, so it may be killed at
any moment and given to another process. Nothing heavy is loaded before `prepare` has set the
threads: numpy, torch and numba read them when they are imported. Training is loaded by its name,
so that whatever imports this module stays free of torch.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bim_explorer.core.errors import DivergenceError, RunError
from bim_explorer.sweeps import paths

#: Seconds between two looks for a wish to stop.
LOOK_SECONDS = 0.25
#: A short run is judged on as many steps of each stream as it has learned from, at least these.
LEAST_FINAL_STEPS = 512
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Job:
    """A run to do.

    Attributes:
        folder: Its run folder, on a disk that all workers see.
        values: All flat parameter values.
        updates: Updates to train for, or None.
        seconds: Time to train for, or None.
        attempt: Which attempt it is, from 1.
    """

    folder: str
    values: dict[str, Any]
    updates: int | None
    seconds: float | None
    attempt: int = 1


class StoppedError(Exception):
    """The run was asked to stop, with the status that it shall have."""


def prepare() -> None:
    """Make this process a worker: one thread, deaf to Ctrl-C, gone when its parent is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


@cache
def warm_up() -> int:
    """Load the engine and compile its kernels, once in a process; the number of the process."""
    config = import_module("bim_explorer.config").Config
    import_module("bim_explorer.training.train")
    probe(config(d_model=2, d_state=1, batch=1, chunk=2, threads=1).values(), seconds=0.0)
    return os.getpid()


def run_job(job: Job) -> dict[str, Any]:
    """Do a run and say in its folder how it ended.

    Returns:
        The outcome: "status" ("done", "diverged", "failed", "stopped" or "pruned"), "seconds",
        "attempts", and the figures of `training.train` or an "error".
    """
    with suppress(Exception):  # what ails the engine, the run will say
        warm_up()
    folder = Path(job.folder)
    start = time.monotonic()
    before = 0.0
    told: dict[str, Any]
    try:
        before = _goes_on(folder)
        told = {"status": paths.DONE, **_train(folder, job, start - before)}
    except StoppedError as error:
        told = {"status": str(error)}
    except Exception as error:
        status = paths.DIVERGED if isinstance(error, DivergenceError) else paths.FAILED
        told = {"status": status, "error": f"{type(error).__name__}: {error}"}
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            paths.error_path(folder).write_text(traceback.format_exc(), encoding="utf-8")
    told |= {"seconds": before + time.monotonic() - start, "attempts": job.attempt}
    with suppress(Exception):  # a full disk: the parent says what it was told all the same
        paths.write_outcome(folder, told)
    return told


def probe(values: dict[str, Any], seconds: float = 1.0) -> dict[str, float]:
    """How long a run takes: seconds an update, and seconds beside its updates."""
    recorders = import_module("bim_explorer.training.recorder")
    with TemporaryDirectory() as folder:
        opened = time.monotonic()
        recorder = recorders.Recorder.open(values, Path(folder))
        started = time.monotonic()
        for _ in range(2):  # kernels are compiled
            recorder.advance()
        start, updates = time.monotonic(), 0
        while updates < 10 or time.monotonic() - start < seconds:
            recorder.advance()
            updates += 1
        end = time.monotonic()
        recorder.close()
        beside = started - opened + time.monotonic() - end
    return {"update": (end - start) / updates, "beside": beside}


def _train(folder: Path, job: Job, start: float) -> dict[str, Any]:
    """Train to the end.

    Args:
        folder: The run folder.
        job: What to do.
        start: When the run would have begun, had it not been interrupted.

    Raises:
        StoppedError: It was asked to stop; it can go on from its checkpoint.
    """
    training = import_module("bim_explorer.training.train")
    recorder = _opened(folder, job)
    stops = {folder.parent / ".stop": paths.STOPPED, paths.stop_path(folder): paths.PRUNED}
    look = time.monotonic() + LOOK_SECONDS
    try:
        while not _is_over(recorder.experiment.update, job, start):
            recorder.advance()
            if time.monotonic() >= look:
                look = time.monotonic() + LOOK_SECONDS
                for path, status in stops.items():
                    if path.exists():
                        raise StoppedError(status)
    except BaseException:
        recorder.suspend()
        raise
    recorder.close()
    learned = recorder.experiment.update * recorder.experiment.values["chunk"]
    steps = min(training.FINAL_STEPS, max(learned, LEAST_FINAL_STEPS))
    result = training.result_of(recorder, time.monotonic() - start, steps)
    return {
        name: value for name, value in result.items() if name not in ("run", "steps_per_second")
    }


def _goes_on(folder: Path) -> float:
    """Note that a run goes on that has ended before; the seconds that it took so far."""
    outcome = paths.read_outcome(folder)
    if outcome is None:
        return 0.0
    paths.write_outcome(folder, {"status": paths.RUNNING, "seconds": outcome["seconds"]})
    return outcome["seconds"]


def _is_over(update: int, job: Job, start: float) -> bool:
    enough = job.updates is not None and update >= job.updates
    return enough or (job.seconds is not None and time.monotonic() - start >= job.seconds)


def _opened(folder: Path, job: Job) -> Any:
    """The run's recorder, going on where that can be."""
    recorders = import_module("bim_explorer.training.recorder")
    if (folder / "last.safetensors").exists():
        with suppress(RunError):
            return recorders.Recorder.resume(folder)
    if folder.exists():
        shutil.rmtree(folder)
    return recorders.Recorder.open(job.values, folder)
