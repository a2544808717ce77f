"""Timing several pieces of work against each other on a machine that may be disturbed.

Each piece is warmed up and repeated until one sample of it lasts long enough to be read; then
rounds go through all pieces, forwards and backwards in turn, so that whatever disturbs the
machine disturbs all of them. A ratio is the median of the rounds' own ratios.

With one thread the clock is the CPU time of this process, which other processes' turns on the
core don't count into; with several, or on a GPU, it is the wall clock.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Options:
    """How a benchmark is run.

    Attributes:
        repeats: Rounds, hence samples of each piece of work.
        seconds: Least length of one sample.
        threads: Threads of every contender.
        backend: Kernels, as the parameter `backend` takes them.
        device: Torch device of our own contenders.
        tiny: Small sizes that show that it runs; the figures mean nothing.
    """

    repeats: int = 7
    seconds: float = 0.2
    threads: int = 1
    backend: str = "auto"
    device: str = "cpu"
    tiny: bool = False

    @property
    def clock(self) -> str:
        """The clock that is read: "cpu" or "wall"."""
        return "cpu" if self.threads == 1 and self.device == "cpu" else "wall"

    def now(self) -> float:
        """Seconds on that clock, once the device has done all it was given."""
        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.process_time() if self.clock == "cpu" else time.perf_counter()


class Times(dict[str, list[float]]):
    """Seconds of one call of each piece of work, a number for every round."""

    def median(self, name: str) -> float:
        """Median over the rounds."""
        return statistics.median(self[name])

    def ratio(self, over: str, under: str) -> float:
        """Median over the rounds of time(over) / time(under): how many times faster `under` is."""
        return statistics.median(a / b for a, b in zip(self[over], self[under], strict=True))

    def spread(self, name: str) -> float:
        """Longest over shortest round."""
        return max(self[name]) / min(self[name])


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def interleaved(works: Mapping[str, Work], options: Options) -> Times:
    """Time the pieces of work in turn.

    Args:
        works: What is called, by name.
        options: Rounds, length of a sample, clock.
    """
    torch.set_num_threads(options.threads)
    calls = {}
    for name, work in works.items():
        say(f"  warm-up: {name}")
        calls[name] = _calls_per_sample(work, options)
    times = Times({name: [] for name in works})
    for turn in range(options.repeats):
        say(f"  round {turn + 1} of {options.repeats}")
        for name in list(works)[:: 1 if turn % 2 == 0 else -1]:
            times[name].append(_sample(works[name], calls[name], options) / calls[name])
    return times


def _calls_per_sample(work: Work, options: Options) -> int:
    work()
    calls, elapsed = 1, _sample(work, 1, options)
    while elapsed < options.seconds / 4:
        calls *= 2
        elapsed = _sample(work, calls, options)
    return max(round(options.seconds / elapsed * calls), 1)


def _sample(work: Work, calls: int, options: Options) -> float:
    start = options.now()
    for _ in range(calls):
        work()
    return options.now() - start
