"""Peak memory of online learning, over streams of 10³ to 10⁶ steps, each in a process of its own.

Each process trains on one stream of text (Python's documentation), takes the snapshots that a
page would, and says how much it ever held.

    memory_1e6_vs_1e3   peak after the longest stream / peak after the shortest
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, say
from bim_explorer.config import Config
from bim_explorer.training.experiment import Experiment

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
CHUNK, SNAPSHOT_EVERY = 100, 10


def bench_memory(options: Options) -> dict[str, Any]:
    """Peak memory for each length of stream."""
    lengths = (CHUNK, 2 * CHUNK) if options.tiny else LENGTHS
    rows: list[Row] = []
    for steps in lengths:
        say(f"memory: {steps:,} steps")
        rows.append({"steps": steps, "peak_MiB": _peak_of(steps, options)})
    ratio = rows[-1]["peak_MiB"] / rows[0]["peak_MiB"]
    return result("memory", options, rows, {"memory_1e6_vs_1e3": ratio})


def _peak_of(steps: int, options: Options) -> float:
    command = [sys.executable, "-m", __name__, str(steps), options.backend, str(options.threads)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"the process of {steps:,} steps failed: {ran.stderr.strip()[-500:]}")
    return float(ran.stdout)


def learn(steps: int, backend: str, threads: int) -> None:
    """Train one stream for so many steps."""
    sizes = {"batch": 1, "chunk": CHUNK, "d_model": 32, "d_state": 4, "n_blocks": 2}
    still = {"learning_rate": 1e-4, "clip": 1.0}
    config = Config(preset="text", backend=backend, threads=threads, **sizes, **still)
    experiment = Experiment(config.values())
    while experiment.update * CHUNK < steps:
        experiment.advance()
        if experiment.update % SNAPSHOT_EVERY == 0:
            experiment.snapshot()


def peak_mib() -> float:
    """The most memory that this process ever held [MiB]."""
    try:  # unlike getrusage, this does not begin with what the parent held
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) / 1024
    except (OSError, IndexError):
        unit = 1024**2 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    learn(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    print(peak_mib())
