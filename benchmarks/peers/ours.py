"""Our side of each comparison, served as the peers are.

    python ours.py chunked | step | update | autograd | stdp-1 | stdp-32

`autograd` is the same network as a user of plain torch would train it: truncated BPTT.
"""

from __future__ import annotations

import sys

from protocol import one_core, serve

one_core()

import torch  # noqa: E402

from bim_explorer.bench.autograd_network import AutogradLearner  # noqa: E402
from bim_explorer.bench.stdp import CHUNK, SYNAPSES, contenders  # noqa: E402
from bim_explorer.bench.step import BLOCK, stepwise_of  # noqa: E402
from bim_explorer.bench.timing import Options  # noqa: E402
from bim_explorer.bench.work import (  # noqa: E402
    LEARNING_RATE,
    learner_of,
    network_of,
    stream,
    updates,
)

OPTIONS = Options()
WORKS = {
    "chunked": "one block, 64 neurons x 16 states, 64 inputs, exact RTRL, Adam, K = 32",
    "step": "the same block, every step an update (K = 1), SGD, event-driven, many steps a call",
    "update": "the same block, K = 1, Adam: whole updates with all that is around a step",
    "autograd": "the same network in plain torch: truncated BPTT by autograd, K = 32",
    "stdp-1": "chunks of 32 steps, weights moved and bounded at a chunk's end",
    "stdp-32": "chunks of 32 steps, weights moved and bounded at a chunk's end",
}


def main(work: str) -> None:
    """Serve samples of that work."""
    torch.set_num_threads(1)
    sizes = BLOCK._replace(chunk=1) if work in ("step", "update") else BLOCK
    if work.startswith("stdp"):
        call, steps = contenders(SYNAPSES, int(work.partition("-")[2]), OPTIONS)["ours"], CHUNK
    elif work == "step":
        learner, chunk = stepwise_of(sizes, OPTIONS, by_events=True), next(stream(BLOCK))
        call, steps = (lambda: learner.run(chunk)), BLOCK.chunk
    elif work == "autograd":
        learner = AutogradLearner(network_of(sizes, OPTIONS), LEARNING_RATE)
        call, steps = updates(learner, sizes), sizes.steps
    else:
        call, steps = updates(learner_of(sizes, OPTIONS), sizes), sizes.steps

    def run() -> int:
        call()
        return steps

    serve(run, "torch" if work == "autograd" else "bim-explorer", WORKS[work])


if __name__ == "__main__":
    main(sys.argv[1])
