"""One block of 64 neurons x 16 states and 64 inputs, one stream: chunked, and step by step.

chunked           `Learner.update` with K = 32, Adam
fused step        every step an update, SGD, many steps a call (`engine.stepwise`)
event step        the same, each column of synapses visited only when its input spikes
torch step        the same exact RTRL in plain torch, a step at a time (`eager_rtrl`)
update            `Learner.update` with K = 1, Adam: all that is around a step included
torch step, Adam  the plain torch loop with Adam

fused_step_vs_torch_step   time of the torch step / time of the fused step
update_vs_torch_step       time of the torch step with Adam / time of an update
chunked_vs_torch_step      time of the torch step with Adam / time of a step of a chunk
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bim_explorer.bench.eager_rtrl import EagerRtrl
from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, Work, interleaved, say
from bim_explorer.bench.work import (
    LEARNING_RATE,
    TINY,
    Sizes,
    learner_of,
    network_of,
    random_chunk,
    updates,
)
from bim_explorer.engine.stepwise import Stepwise

#: The block that `benchmarks/peers` compares with other packages, too.
BLOCK = Sizes(inputs=64, neurons=64, states=16, blocks=1, batch=1, chunk=32, classes=8)
#: Steps of one call of `Stepwise`.
STEPS = 256


def bench_step(options: Options) -> dict[str, Any]:
    """Time one block, K = 32 and K = 1."""
    say("step: one block")
    sizes = TINY._replace(blocks=1, batch=1) if options.tiny else BLOCK
    times = interleaved(contenders(sizes, options), options)
    calls = {"chunked": sizes.chunk, "fused step": STEPS, "event step": STEPS}
    for name, steps in calls.items():
        times[name] = [seconds / steps for seconds in times[name]]
    ratios = {
        "fused_step_vs_torch_step": times.ratio("torch step", "fused step"),
        "event_step_vs_torch_step": times.ratio("torch step", "event step"),
        "update_vs_torch_step": times.ratio("torch step, Adam", "update"),
        "chunked_vs_torch_step": times.ratio("torch step, Adam", "chunked"),
    }
    chunks = {"chunked": sizes.chunk}
    rows = [_row(name, chunks.get(name, 1), times) for name in times]
    return result("step", options, rows, ratios)


def contenders(chunked: Sizes, options: Options) -> dict[str, Work]:
    """The pieces of work."""
    single = chunked._replace(chunk=1)
    many = random_chunk(chunked._replace(chunk=STEPS), np.random.default_rng(0))

    def stepwise(by_events: bool) -> Work:
        learner = stepwise_of(single, options, by_events)
        return lambda: learner.run(many)

    def eager(sgd: bool) -> Work:
        network = network_of(single, options)
        return updates(EagerRtrl(network, LEARNING_RATE, sgd), single)

    return {
        "chunked": updates(learner_of(chunked, options), chunked),
        "fused step": stepwise(by_events=False),
        "event step": stepwise(by_events=True),
        "torch step": eager(sgd=True),
        "update": updates(learner_of(single, options), single),
        "torch step, Adam": eager(sgd=False),
    }


def stepwise_of(sizes: Sizes, options: Options, by_events: bool) -> Stepwise:
    """A block that learns at every step, in the kernels' own memory."""
    return Stepwise(network_of(sizes, options, optimizer="sgd"), LEARNING_RATE, by_events)


def _row(name: str, chunk: int, times: Times) -> Row:
    seconds = times.median(name)
    return {
        "work": name,
        "K": chunk,
        "us_per_step": 1e6 * seconds,
        "steps_per_s": 1 / seconds,
        "spread": times.spread(name),
    }
