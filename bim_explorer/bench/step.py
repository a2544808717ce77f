"""One block of 64 neurons x 16 states and 64 inputs, one stream: chunked, and step by step.

chunked      `Learner.update` with K = 32
step         `Learner.update` with K = 1
torch step   the same exact RTRL with K = 1, in plain torch (`eager_rtrl`)

fused_step_vs_torch_step   time of the torch step / time of the step
chunked_vs_torch_step      time of 32 torch steps / time of a chunk
"""

from __future__ import annotations

from typing import Any

from bim_explorer.bench.eager_rtrl import EagerRtrl
from bim_explorer.bench.result import result
from bim_explorer.bench.timing import Options, Times, interleaved, say
from bim_explorer.bench.work import LEARNING_RATE, TINY, Sizes, learner_of, network_of, updates

#: The block that `benchmarks/peers` compares with other packages, too.
BLOCK = Sizes(inputs=64, neurons=64, states=16, blocks=1, batch=1, chunk=32, classes=8)


def bench_step(options: Options) -> dict[str, Any]:
    """Time one block, K = 32 and K = 1."""
    say("step: one block")
    chunked = TINY._replace(blocks=1, batch=1) if options.tiny else BLOCK
    single = chunked._replace(chunk=1)
    times = interleaved(
        {
            "chunked": updates(learner_of(chunked, options), chunked),
            "step": updates(learner_of(single, options), single),
            "torch step": updates(EagerRtrl(network_of(single, options), LEARNING_RATE), single),
        },
        options,
    )
    times["chunked"] = [seconds / chunked.chunk for seconds in times["chunked"]]
    chunks = {"chunked": chunked.chunk, "step": 1, "torch step": 1}
    ratios = {
        "fused_step_vs_torch_step": times.ratio("torch step", "step"),
        "chunked_vs_torch_step": times.ratio("torch step", "chunked"),
    }
    return result("step", options, [_row(name, chunks[name], times) for name in times], ratios)


def _row(name: str, chunk: int, times: Times) -> dict[str, Any]:
    seconds = times.median(name)
    spread = times.spread(name)
    return {"work": name, "K": chunk, "us_per_step": 1e6 * seconds, "steps_per_s": 1 / seconds} | {
        "spread": spread
    }
