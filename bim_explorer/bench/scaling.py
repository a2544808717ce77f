"""How the cost grows: one size changed at a time, exact and truncated update beside each other.

N, S, B, K     neurons (and inputs), states, streams, steps of a chunk
rate           the input's firing rate
pruned         share of pruned synapses, drawn evenly, in a block of the reference network's size
pruned_W       the same where only synapses and readout learn, not all parameters
T              steps done before the clock starts: an online update must not care at all

exact_growth_NAME   time a step of exact at the largest value / at the smallest
"""

from __future__ import annotations

import math
from typing import Any

import torch

from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, interleaved, say
from bim_explorer.bench.work import TINY, Sizes, learner_of, stream, updates
from bim_explorer.engine.learner import Learner

BASE = Sizes(inputs=64, neurons=64, states=8, blocks=1, batch=8, chunk=16, classes=16)
AXES: dict[str, tuple[float, ...]] = {
    "N": (32, 64, 128, 256),
    "S": (2, 4, 8, 16),
    "B": (1, 4, 16, 64),
    "K": (1, 4, 16, 64),
    "rate": (0.01, 0.05, 0.2, 0.5),
    "pruned": (0.0, 0.5, 0.9, 0.99),
    "pruned_W": (0.0, 0.5, 0.9, 0.99),
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
            times = _timed(sizes, axis, value, options)
            rows.append(_row(axis, value, sizes, times))
            costs.append(rows[-1]["exact_us_per_step"])
        ratios[f"exact_growth_{axis}"] = costs[-1] / costs[0]
    return result("scaling", options, rows, ratios)


def _sized(base: Sizes, axis: str, value: float) -> Sizes:
    if axis == "rate":
        return base._replace(rate=min(value, 0.9))
    count = int(value)
    larger = {name: 2 * getattr(base, name) for name in ("inputs", "neurons", "batch", "chunk")}
    changes = {
        "N": {"inputs": count, "neurons": count},
        "S": {"states": count},
        "B": {"batch": count},
        "K": {"chunk": count},
        "pruned": larger,
        "pruned_W": larger,
    }
    return base._replace(**changes.get(axis, {}))


def _timed(sizes: Sizes, axis: str, value: float, options: Options) -> Times:
    works = {}
    pruned = min(value, 0.99) if axis.startswith("pruned") else 0.0
    learn = "synapses" if axis == "pruned_W" else "all"
    for credit in ("exact", "truncated"):
        learner = learner_of(sizes, options, credit=credit, learn=learn, target_sparsity=pruned)
        _prune(learner, pruned)
        chunks = stream(sizes)
        for _ in range(int(value) // sizes.chunk if axis == "T" else 0):
            learner.update(next(chunks))
        works[credit] = updates(learner, sizes)
    return interleaved(works, options)


def _prune(learner: Learner, share: float) -> None:
    """Prune that share of each block's synapses, whatever their weights."""
    for synapses in learner.synapses:
        mask, generator = synapses.mask.flatten(), torch.Generator().manual_seed(0)
        gone = torch.randperm(len(mask), generator=generator)[: round(share * len(mask))]
        synapses.mask = mask.index_fill(0, gone.to(mask.device), False).view_as(synapses.mask)
        synapses.bound(math.inf)


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
