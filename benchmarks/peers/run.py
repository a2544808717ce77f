"""Ours against peers on like work, each in a process of its own, timed in turn on one core.

    python benchmarks/peers/run.py [COMPARISON …] [--repeats N]

Prints one JSON object, `{"name", "machine", "rows", "ratios"}`; progress goes to stderr. The peers
need the environments that `make bench-peers` makes; one that is missing is named and left out.
A ratio is ours over theirs in steps a second, the median of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bim_explorer.bench.result import result
from bim_explorer.bench.timing import Options, say

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS, PEERS, BINDSNET = sys.executable, ".venv-peers/bin/python", ".venv-bindsnet/bin/python"
DEFAULT_REPEATS = 5


class Contender(NamedTuple):
    """A name for the table, the Python that runs it, and its program with arguments."""

    name: str
    python: str
    program: str


COMPARISONS = {
    "block": (
        Contender("ours, K = 32", OURS, "ours.py chunked"),
        Contender("ours, K = 1", OURS, "ours.py step"),
        Contender("ours, K = 1, whole updates", OURS, "ours.py update"),
        Contender("torch autograd", OURS, "ours.py autograd"),
        Contender("braintrace ES-D-RTRL", PEERS, "braintrace_rtrl.py ES_D_RTRL"),
        Contender("braintrace D-RTRL (online LRU)", PEERS, "braintrace_rtrl.py D_RTRL"),
    ),
    "sequence": (
        Contender("ours, K = 32", OURS, "ours.py chunked"),
        Contender("mambapy, T = 1,000", PEERS, "mambapy_bptt.py 1000"),
        Contender("mambapy, T = 10,000", PEERS, "mambapy_bptt.py 10000"),
    ),
    "stdp": (
        Contender("ours", OURS, "ours.py stdp-1"),
        Contender("brian2 standalone", PEERS, "brian2_stdp.py"),
        Contender("snntorch", PEERS, "torch_stdp.py snntorch 1"),
        Contender("spikingjelly", PEERS, "torch_stdp.py spikingjelly 1"),
        Contender("bindsnet", BINDSNET, "bindsnet_stdp.py 1"),
    ),
    "stdp-32": (
        Contender("ours", OURS, "ours.py stdp-32"),
        Contender("snntorch", PEERS, "torch_stdp.py snntorch 32"),
        Contender("spikingjelly", PEERS, "torch_stdp.py spikingjelly 32"),
        Contender("bindsnet", BINDSNET, "bindsnet_stdp.py 32"),
    ),
}


class Running:
    """A contender's process, ready for samples.

    Args:
        contender: What to start.
    """

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        # joined, not resolved: an environment's python is a link
        python = contender.python if contender.python == OURS else str(ROOT / contender.python)
        program, *words = contender.program.split()
        self.process = subprocess.Popen(
            [python, str(HERE / program), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.facts = self._answer()

    def sample(self) -> dict[str, Any]:
        """One sample."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise OSError(f"{self.contender.program} ended with code {self.process.wait()}")


def compare(name: str, repeats: int) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Rows and ratios of one comparison; the first contender is ours."""
    running = []
    for contender in COMPARISONS[name]:
        say(f"{name}: starting {contender.name}")
        try:
            running.append(Running(contender))
        except OSError as error:
            say(f"!!! LEFT OUT: {contender.name}: {error}; `make bench-peers` makes what it needs")
    samples: list[list[dict[str, Any]]] = [[] for _ in running]
    for turn in range(repeats):
        say(f"{name}: round {turn + 1} of {repeats}")
        for index in list(range(len(running)))[:: 1 if turn % 2 == 0 else -1]:
            samples[index].append(running[index].sample())
    for process in running:
        process.close()
    speeds = [[s["steps"] / s["cpu_seconds"] for s in each] for each in samples]
    rows = [
        _row(name, r, each, speed) for r, each, speed in zip(running, samples, speeds, strict=True)
    ]
    first = running[0].contender.name if running else ""
    ratios = {
        f"{name}: {first} vs {peer.contender.name}": statistics.median(
            a / b for a, b in zip(speeds[0], speed, strict=True)
        )
        for peer, speed in zip(running[1:], speeds[1:], strict=True)
    }
    return rows, ratios


def _row(
    name: str, running: Running, samples: list[dict[str, Any]], speed: list[float]
) -> dict[str, Any]:
    return {
        "comparison": name,
        "contender": running.contender.name,
        "version": running.facts["ready"],
        "steps_per_s": statistics.median(speed),
        "spread": max(speed) / min(speed),
        "peak_MiB": max((s["peak_mib"] or 0.0 for s in samples), default=None),
        "work": running.facts["work"],
    }


def main() -> None:
    """Run the named comparisons and print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="COMPARISON", help=", ".join(COMPARISONS))
    parser.add_argument("--repeats", type=int, default=DEFAULT_REPEATS)
    args = parser.parse_args()
    if unknown := set(args.names) - set(COMPARISONS):
        parser.error(f"unknown {', '.join(unknown)}; known: {', '.join(COMPARISONS)}")
    rows: list[dict[str, Any]] = []
    ratios: dict[str, float] = {}
    for name in args.names or COMPARISONS:
        found, compared = compare(name, args.repeats)
        rows, ratios = rows + found, ratios | compared
    print(json.dumps(result("peers", Options(), rows, ratios)))


if __name__ == "__main__":
    main()
