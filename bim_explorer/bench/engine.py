"""The reference network: exact online learning against truncated BPTT, ours and autograd's.

exact, truncated   a whole `Learner.update`, optimizer and STDP terms included
autograd           truncated BPTT of the same network and chunk (`autograd_network`)
influence          `kernels.carry` of one block: all it takes to move its influences over a chunk
                   (BIM eq. 7) and to read what they owe to its losses (eq. 8)
bare product       B times N(5S+2) × K by K × (M+1), added to an array of that shape, by torch: what
                   eq. 7 comes to if it is not known that spikes are 0 or 1;
                   in the layout that torch is fastest with: keys as rows (`baddbmm`)
product, keys as columns   the same in the other layout

exact_vs_autograd_truncated      time of autograd / time of exact          S = 8, S = 4
truncated_vs_autograd_truncated  time of autograd / time of truncated
influence_vs_bare_product        time of the product / time of influence
influence_vs_other_layout        the same against the product in the other layout
exact_vs_product_plus_truncated  time of exact / (products of all blocks + truncated)
"""

from __future__ import annotations

import statistics
from typing import Any

import torch
from torch import Tensor

from bim_explorer.bench.autograd_network import AutogradLearner
from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, Work, interleaved, say
from bim_explorer.bench.work import (
    LEARNING_RATE,
    TINY,
    Sizes,
    learner_of,
    network_of,
    stream,
    updates,
)
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.functional.rtrl import Families, Influence

REFERENCE = Sizes()


def bench_engine(options: Options) -> dict[str, Any]:
    """Time the reference network at S = 8 and S = 4."""
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    base = TINY if options.tiny else REFERENCE
    for sizes, suffix in ((base, ""), (base._replace(states=base.states // 2), "_half_states")):
        say(f"engine: S = {sizes.states}")
        times = interleaved(contenders(sizes, options), options)
        rows += [_row(name, times, sizes) for name in times]
        ratios |= {f"{name}{suffix}": ratio for name, ratio in _ratios(times, sizes).items()}
    return result("engine", options, rows, ratios)


def contenders(sizes: Sizes, options: Options) -> dict[str, Work]:
    """The pieces of work of one size."""
    autograd = AutogradLearner(network_of(sizes, options), LEARNING_RATE)
    return {
        "exact": updates(learner_of(sizes, options, credit="exact"), sizes),
        "truncated": updates(learner_of(sizes, options, credit="truncated"), sizes),
        "autograd": updates(autograd, sizes),
        **products(sizes, options),
    }


def products(sizes: Sizes, options: Options) -> dict[str, Work]:
    """What moves the influences of one block, and the product that it would be without spikes."""
    batch, rows, steps, n_keys = sizes.batch, sizes.rows, sizes.chunk, sizes.inputs + 1
    left = torch.rand(batch, rows, steps, device=options.device)
    key = torch.rand(batch, steps, n_keys, device=options.device)
    keys, flat = key.transpose(1, 2).contiguous(), left.transpose(1, 2).contiguous()
    sums, other = left.new_zeros(batch, n_keys, rows), left.new_zeros(batch, rows, n_keys)
    return {
        "influence": influence(sizes, options, Families()),
        "bare product": lambda: torch.baddbmm(sums, keys, flat, out=sums),
        "product, keys as columns": lambda: torch.baddbmm(other, left, key, out=other),
    }


def influence(
    sizes: Sizes, options: Options, families: Families, place: Tensor | None = None
) -> Work:
    """The influences of one block over one chunk of input, again and again."""
    network = network_of(sizes._replace(blocks=1), options)
    block, data = network.blocks[0], ChunkTensors.of(next(stream(sizes)), network.like)
    trace = block.forward(data.spikes, data.keep, network.dynamics)
    influence = Influence.zeros(sizes.batch, block.theta, families, place)
    D, gain = block.theta.D, network.dynamics.membrane.gain
    return lambda: block.kernels.carry(influence, trace, D, gain, families)


def _row(name: str, times: Times, sizes: Sizes) -> Row:
    seconds = times.median(name)
    whole_update = name in ("exact", "truncated", "autograd")
    return {
        "work": name,
        "S": sizes.states,
        "ms": 1e3 * seconds,
        "steps_per_s": sizes.steps / seconds if whole_update else None,
        "GFLOP_per_s": None
        if whole_update
        else 2e-9 * sizes.steps * sizes.rows * (sizes.inputs + 1) / seconds,
        "spread": times.spread(name),
    }


def _ratios(times: Times, sizes: Sizes) -> dict[str, float]:
    rounds = zip(times["exact"], times["bare product"], times["truncated"], strict=True)
    return {
        "exact_vs_autograd_truncated": times.ratio("autograd", "exact"),
        "truncated_vs_autograd_truncated": times.ratio("autograd", "truncated"),
        "influence_vs_bare_product": times.ratio("bare product", "influence"),
        "influence_vs_other_layout": times.ratio("product, keys as columns", "influence"),
        "exact_vs_product_plus_truncated": statistics.median(
            exact / (sizes.blocks * product + truncated) for exact, product, truncated in rounds
        ),
    }
