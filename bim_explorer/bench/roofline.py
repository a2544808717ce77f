"""How near the engine comes to this machine: achieved against measured peaks.

    sgemm   product of two square float32 matrices                          [GFLOP/s]
    copy    copying an array far larger than any cache, read and written    [GB/s]

    time ≥ max(FLOP / sgemm, bytes / copy);  share = that bound / measured time

FLOP and bytes are the least that the work must do: influences BK N(5S+2)(M+1) additions times the
firing rate, each number read and written once (the bare product: 2 BK N(5S+2)(M+1) FLOP); a forward
pass 2MN additions times the firing rate and 10NS a step and block, reverse mode as many additions,
three times the 10NS, and 4MN a step for each block that another stands on.
"""

from __future__ import annotations

from typing import Any

import torch

from bim_explorer.bench.engine import REFERENCE, products
from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Work, interleaved, say
from bim_explorer.bench.work import TINY, Sizes, learner_of, stream, updates
from bim_explorer.functional.chunk import ChunkTensors

SQUARE, COPIED, FLOAT = 1024, 2**26, 4


def bench_roofline(options: Options) -> dict[str, Any]:
    """Measure both peaks and what the reference network makes of them."""
    sizes = TINY if options.tiny else REFERENCE
    say("roofline")
    times = interleaved(_contenders(sizes, options), options)
    square, copied = _peak_sizes(options)
    sgemm = 2 * square**3 / times.median("sgemm")
    copy = 2 * FLOAT * copied / times.median("copy")
    rows: list[Row] = [
        {"work": "sgemm", "ms": 1e3 * times.median("sgemm"), "GFLOP_per_s": sgemm / 1e9},
        {"work": "copy", "ms": 1e3 * times.median("copy"), "GB_per_s": copy / 1e9},
    ]
    ratios = {}
    for name, (flop, moved) in _least(sizes).items():
        seconds, bound = times.median(name), max(flop / sgemm, moved / copy)
        rows.append(
            {
                "work": name,
                "ms": 1e3 * seconds,
                "GFLOP_per_s": flop / seconds / 1e9,
                "GB_per_s": moved / seconds / 1e9,
                "bound_ms": 1e3 * bound,
                "bound_by": "sgemm" if flop / sgemm > moved / copy else "copy",
                "share": bound / seconds,
            }
        )
        ratios[f"{name.replace(' ', '_')}_vs_bound"] = bound / seconds
    return result("roofline", options, rows, ratios)


def _peak_sizes(options: Options) -> tuple[int, int]:
    return (32, 2**10) if options.tiny else (SQUARE, COPIED)


def _contenders(sizes: Sizes, options: Options) -> dict[str, Work]:
    square, copied = _peak_sizes(options)
    left, right = (torch.rand(square, square, device=options.device) for _ in range(2))
    out = torch.empty_like(left)
    source = torch.rand(copied, device=options.device)
    goal = torch.empty_like(source)
    learner = learner_of(sizes, options)
    chunk = next(stream(sizes))

    @torch.no_grad()
    def forward() -> None:
        data = ChunkTensors.of(chunk, learner.network.readout.b)
        learner.network.forward(data.spikes, data.keep)

    parts = products(sizes, options)
    return {
        "sgemm": lambda: torch.mm(left, right, out=out),
        "copy": lambda: goal.copy_(source),
        "bare product": parts["bare product"],
        "influence": parts["influence"],
        "forward": forward,
        "truncated update": updates(learner_of(sizes, options, credit="truncated"), sizes),
        "exact update": updates(learner_of(sizes, options, credit="exact"), sizes),
    }


def _least(sizes: Sizes) -> dict[str, tuple[float, float]]:
    """FLOP and bytes of each work."""
    product = 2.0 * sizes.steps * sizes.rows * (sizes.inputs + 1)
    added = sizes.rate * product / 2  # a spike is added, not multiplied
    held = 2.0 * FLOAT * sizes.batch * sizes.rows * (sizes.inputs + 1)
    steps, synapses = sizes.blocks * sizes.steps, sizes.inputs * sizes.neurons
    currents, states = 2 * sizes.rate * synapses, 10.0 * sizes.neurons * sizes.states
    forward, below = steps * (currents + states), 4.0 * (steps - sizes.steps) * synapses
    whole = forward + steps * (currents + 3 * states) + below
    traces = float(sizes.blocks * sizes.steps * sizes.neurons * (3 * sizes.states + 6) * FLOAT)
    return {
        "bare product": (product, held),
        "influence": (added, held),
        "forward": (forward, traces),
        "truncated update": (whole, 2 * traces),
        "exact update": (whole + sizes.blocks * added, 2 * traces + sizes.blocks * held),
    }
