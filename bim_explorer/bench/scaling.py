"""How the cost grows: one size changed at a time, exact and truncated update beside each other.

N, S, B, K     neurons (and inputs), states, streams, steps of a chunk
rate           the input's firing rate
T              steps done before the clock starts: an online update must not care at all

exact_growth_NAME   time a step of exact at the largest value / at the smallest
"""

from __future__ import annotations

from typing import Any

from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, interleaved, say
from bim_explorer.bench.work import TINY, Sizes, learner_of, stream, updates

BASE = Sizes(inputs=64, neurons=64, states=8, blocks=1, batch=8, chunk=16, classes=16)
AXES: dict[str, tuple[float, ...]] = {
    "N": (32, 64, 128, 256),
    "S": (2, 4, 8, 16),
    "B": (1, 4, 16, 64),
    "K": (1, 4, 16, 64),
    "rate": (0.01, 0.05, 0.2, 0.5),
    "T": (0, 1_000, 10_000),
}


def bench_scaling(options: Options) -> dict[str, Any]:
    """Time an update along every axis."""
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    base = TINY._replace(blocks=1) if options.tiny else BASE
    for axis, values in AXES.items():
        chosen = (1, 2) if options.tiny else values
        costs = []
        for value in chosen:
            say(f"scaling: {axis} = {value:g}")
            sizes = _sized(base, axis, value)
            times = _timed(sizes, int(value) if axis == "T" else 0, options)
            rows.append(_row(axis, value, sizes, times))
            costs.append(rows[-1]["exact_us_per_step"])
        ratios[f"exact_growth_{axis}"] = costs[-1] / costs[0]
    return result("scaling", options, rows, ratios)


def _sized(base: Sizes, axis: str, value: float) -> Sizes:
    if axis == "rate":
        return base._replace(rate=min(value, 0.9))
    count = int(value)
    changes = {
        "N": {"inputs": count, "neurons": count},
        "S": {"states": count},
        "B": {"batch": count},
        "K": {"chunk": count},
        "T": {},
    }
    return base._replace(**changes[axis])


def _timed(sizes: Sizes, steps_before: int, options: Options) -> Times:
    works = {}
    for credit in ("exact", "truncated"):
        learner = learner_of(sizes, options, credit=credit)
        chunks = stream(sizes)
        for _ in range(steps_before // sizes.chunk):
            learner.update(next(chunks))
        works[credit] = updates(learner, sizes)
    return interleaved(works, options)


def _row(axis: str, value: float, sizes: Sizes, times: Times) -> Row:
    exact, truncated = (times.median(credit) / sizes.steps for credit in ("exact", "truncated"))
    return {
        "axis": axis,
        "value": value,
        "exact_us_per_step": 1e6 * exact,
        "truncated_us_per_step": 1e6 * truncated,
        "exact_steps_per_s": 1 / exact,
        "exact_over_truncated": times.ratio("exact", "truncated"),
    }
