"""STDP of 256 x 256 synapses at 5 % firing, one stream and 32 (BIM eqs. 5-6).

    ours        `kernels.stdp` on chunks of 32 steps, weights moved and bounded at a chunk's end
    ours K=1    the same, weights moved at every step
    in place    the leanest plain torch: traces and weights in place, all synapses at every step

Every contender keeps both traces, adds up both terms, averages over streams and bounds |w|.

    stdp_vs_in_place_torch, stdp_vs_in_place_torch_32   time of in place / time of ours
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, Work, interleaved, say
from bim_explorer.functional.stdp import StdpTraces, Window
from bim_explorer.kernels import kernels_for

SYNAPSES, RATE, CHUNK, W_MAX, LEARNING_RATE = 256, 0.05, 32, 3.0, 1e-4
WINDOW = Window(1.0, 1.05, 0.95, 0.95)
BATCHES = (1, 32)


def bench_stdp(options: Options) -> dict[str, Any]:
    """Time the STDP term and the weights' move for both numbers of streams."""
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    side = 8 if options.tiny else SYNAPSES
    for batch in BATCHES:
        say(f"stdp: {side} x {side}, B = {batch}")
        times = interleaved(contenders(side, batch, options), options)
        rows += [_row(name, batch, times) for name in times]
        suffix = "" if batch == 1 else f"_{batch}"
        ratios[f"stdp_vs_in_place_torch{suffix}"] = times.ratio("in place", "ours")
    return result("stdp", options, rows, ratios)


def contenders(side: int, batch: int, options: Options) -> dict[str, Work]:
    """Each of them does CHUNK steps of `batch` streams."""
    made = torch.Generator().manual_seed(0)
    pre, post = (
        (torch.rand(batch, CHUNK, side, generator=made) < RATE).float().to(options.device)
        for _ in range(2)
    )
    return {
        "ours": Ours(pre, post, CHUNK, options.backend).run,
        "ours K=1": Ours(pre, post, 1, options.backend).run,
        "in place": InPlace(pre, post).run,
    }


class Ours:
    """Our term on chunks of `chunk` steps.

    Args:
        pre: Presynaptic spikes (batch, time, input).
        post: Postsynaptic spikes (batch, time, neuron).
        chunk: Steps between two moves of the weights.
        backend: Kernels, as the parameter `backend` takes them.
    """

    def __init__(self, pre: Tensor, post: Tensor, chunk: int, backend: str = "auto") -> None:
        self.pairs = list(zip(pre.split(chunk, 1), post.split(chunk, 1), strict=True))
        self.keep = pre.new_ones(len(pre), chunk)
        self.kernels = kernels_for(backend, pre.device)
        self.traces = StdpTraces(torch.zeros_like(pre[:, 0]), torch.zeros_like(post[:, 0]))
        self.weights = pre.new_zeros(post.shape[2], pre.shape[2])

    def run(self) -> None:
        """All steps."""
        for pre, post in self.pairs:
            omega, self.traces = self.kernels.stdp(pre, post, self.keep, self.traces, WINDOW)
            self.weights.add_(omega, alpha=LEARNING_RATE).clamp_(-W_MAX, W_MAX)


class InPlace:
    """Plain torch, a step at a time, nothing allocated that need not be.

    Args:
        pre: Presynaptic spikes (batch, time, input).
        post: Postsynaptic spikes (batch, time, neuron).
    """

    def __init__(self, pre: Tensor, post: Tensor) -> None:
        self.pre, self.post = pre.transpose(0, 1).contiguous(), post.transpose(0, 1).contiguous()
        self.trace_pre, self.trace_post = torch.zeros_like(pre[:, 0]), torch.zeros_like(post[:, 0])
        self.weights = pre.new_zeros(post.shape[2], pre.shape[2])

    def run(self) -> None:
        """All steps."""
        share = LEARNING_RATE / self.pre.shape[1]
        for pre, post in zip(self.pre, self.post, strict=True):
            self.trace_pre.mul_(WINDOW.decay_plus).add_(pre)
            self.trace_post.mul_(WINDOW.decay_minus)
            self.weights.addmm_(post.T, self.trace_pre, alpha=share * WINDOW.a_plus)
            self.weights.addmm_(self.trace_post.T, pre, alpha=-share * WINDOW.a_minus)
            self.weights.clamp_(-W_MAX, W_MAX)
            self.trace_post.add_(post)


def _row(name: str, batch: int, times: Times) -> Row:
    seconds = times.median(name) / CHUNK
    return {
        "work": name,
        "B": batch,
        "us_per_step": 1e6 * seconds,
        "steps_per_s": 1 / seconds,
        "spread": times.spread(name),
    }
