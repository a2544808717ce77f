"""What pruning saves: one block of the reference network, its pruned synapses drawn evenly.

exact, truncated   a whole `Learner.update`, where so many are pruned and stay so
all                `kernels.carry` of one block with the influences of all synapses
living             the same with those of the living alone, whether or not a learner would
learn              what is plastic: all parameters, or synapses and readout

all_vs_living_at_90_percent            time of all / time of living, all parameters learn
all_vs_living_at_90_percent_synapses   the same where only synapses and readout do
"""

from __future__ import annotations

import math
from typing import Any

import torch

from bim_explorer.bench.engine import influence
from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, Work, interleaved, say
from bim_explorer.bench.work import TINY, Sizes, learner_of, updates
from bim_explorer.engine.learner import Learner
from bim_explorer.functional.rtrl import Families, places

SHARES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
#: The share that the ratios are taken at.
TARGET = 0.9


def bench_pruning(options: Options) -> dict[str, Any]:
    """Time a block at every share of pruned synapses."""
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    sizes = (TINY if options.tiny else Sizes())._replace(blocks=1)
    for learn, suffix in (("all", ""), ("synapses", "_synapses")):
        for share in (TARGET,) if options.tiny else SHARES:
            say(f"pruning: {share:.0%}, learn = {learn}")
            times = interleaved(_contenders(sizes, learn, share, options), options)
            rows.append(_row(learn, share, times))
            if share == TARGET:
                ratios[f"all_vs_living_at_90_percent{suffix}"] = times.ratio("all", "living")
    return result("pruning", options, rows, ratios)


def _contenders(sizes: Sizes, learn: str, share: float, options: Options) -> dict[str, Work]:
    exact, truncated = (
        learner_of(sizes, options, credit=credit, learn=learn, target_sparsity=share)
        for credit in ("exact", "truncated")
    )
    for learner in (exact, truncated):
        _prune(learner, share)
    families, place = Families(selection=learn == "all"), places(exact.synapses[0].mask)
    return {
        "exact": updates(exact, sizes),
        "truncated": updates(truncated, sizes),
        "all": influence(sizes, options, families),
        "living": influence(sizes, options, families._replace(dense=False), place),
    }


def _prune(learner: Learner, share: float) -> None:
    """Prune that share of each block's synapses, whatever their weights."""
    for synapses in learner.synapses:
        mask, generator = synapses.mask.flatten(), torch.Generator().manual_seed(0)
        gone = torch.randperm(len(mask), generator=generator)[: round(share * len(mask))]
        synapses.mask = mask.index_fill(0, gone.to(mask.device), False).view_as(synapses.mask)
        synapses.bound(math.inf)


def _row(learn: str, share: float, times: Times) -> Row:
    return {
        "learn": learn,
        "pruned": share,
        **{f"{name}_ms": 1e3 * times.median(name) for name in times},
        "exact_over_truncated": times.ratio("exact", "truncated"),
        "all_over_living": times.ratio("all", "living"),
    }
