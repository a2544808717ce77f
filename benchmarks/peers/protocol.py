"""How `run.py` and a peer's program talk: set up once, then one sample for every line on stdin.

A peer builds, compiles and warms up, prints `{"ready": …}` with what it is, and then answers each
line on stdin with one sample: `{"steps", "seconds", "cpu_seconds", "peak_mib"}`. So contenders in
different environments are timed in turn, without paying for their start again. Each is held to
one core, and its clock is CPU time, its threads' and children's included.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

LEAST_SECONDS = 0.3


def one_core() -> None:
    """Keep this process, and whatever it starts, on one core; before anything heavy is imported."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def serve(run: Callable[[], int], package: str, work: str) -> None:
    """Answer every line on stdin with a sample.

    Args:
        run: Does some steps and says how many.
        package: The distribution whose version is told.
        work: One sentence on what a step does, and how it differs from ours.
    """
    for _ in range(3):  # some compile anew at their second call
        run()
    calls, elapsed = 1, 0.0
    while True:
        start = _cpu()
        for _ in range(calls):
            run()
        elapsed = _cpu() - start
        if elapsed >= LEAST_SECONDS / 4:
            break
        calls *= 2
    calls = max(round(LEAST_SECONDS / elapsed * calls), 1)
    _say({"ready": f"{package} {version(package)}", "work": work})
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), _cpu()
        steps = sum(run() for _ in range(calls))
        cpu, wall = _cpu() - cpu, time.perf_counter() - wall
        _say({"steps": steps, "seconds": wall, "cpu_seconds": cpu, "peak_mib": _peak_mib()})


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mib() -> float | None:
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) / 1024


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)
