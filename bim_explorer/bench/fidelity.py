"""How good a gradient is for what it costs: exact, truncated and local credit over chunks K.

A network with random weights reads random spikes with a loss at every step; its weights stay
fixed. The sum of the chunks' gradients is held against BPTT through all steps (`analysis.bptt`).

    cosine         of all blocks' parameters together        lowest_block   of the lowest block's
    us_per_step    time of the gradient of a step of a stream, influences included

With one block exact credit is BPTT's gradient; in a stack it is exact within each block only, and
local credit follows each block's own loss, hence another gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bim_explorer.analysis.audit import online_gradient
from bim_explorer.analysis.bptt import bptt_gradient
from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, interleaved, say
from bim_explorer.bench.work import Sizes, network_of, stream
from bim_explorer.engine.network import Network
from bim_explorer.functional.chunk import ChunkTensors

SIZES = Sizes(inputs=32, neurons=32, states=8, blocks=2, batch=4, chunk=128, classes=8)
CHUNKS = (1, 4, 16, 32, 64)
CREDITS = ("exact", "truncated", "local")


def bench_fidelity(options: Options) -> dict[str, Any]:
    """Cosine and cost for one block and two, every credit and K."""
    base = SIZES._replace(inputs=5, neurons=4, states=2, chunk=12) if options.tiny else SIZES
    lengths = (1, 4) if options.tiny else CHUNKS
    rows: list[Row] = []
    for blocks in (1, 2):
        sizes = base._replace(blocks=blocks)
        network = network_of(sizes, options)
        data = ChunkTensors.of(next(stream(sizes)), network.readout.b)
        exact = bptt_gradient(network, data)
        for chunk in lengths:
            say(f"fidelity: {blocks} block(s), K = {chunk}")
            rows += _rows(network, data, exact, chunk, options)
    of = {(row["blocks"], row["credit"], row["K"]): row["cosine"] for row in rows}
    shortest = lengths[0]
    names = {1: "one_block", 2: "two_blocks"}
    ratios = {
        f"{credit}_cosine_{name}_K{shortest}": of[blocks, credit, shortest]
        for blocks, name in names.items()
        for credit in ("exact", "truncated")
    }
    return result("fidelity", options, rows, ratios)


def _rows(
    network: Network,
    data: ChunkTensors,
    exact: Mapping[str, Tensor],
    chunk: int,
    options: Options,
) -> list[Row]:
    def online(credit: str) -> dict[str, Tensor]:
        with torch.no_grad():
            return online_gradient(network, data, chunk, credit)

    times = interleaved({c: lambda c=c: online(c) for c in CREDITS}, options)
    rows = []
    for credit in CREDITS:
        found = online(credit)
        rows.append(
            {
                "credit": credit,
                "blocks": len(network.blocks),
                "K": chunk,
                "cosine": _cosine(found, exact, "block"),
                "lowest_block": _cosine(found, exact, "block0."),
                "us_per_step": 1e6 * times.median(credit) / data.mask.numel(),
            }
        )
    return rows


def _cosine(found: Mapping[str, Tensor], exact: Mapping[str, Tensor], prefix: str) -> float:
    """Cosine of all parameters whose name begins so, in float64."""
    names = [name for name in exact if name.startswith(prefix)]
    a, b = (torch.cat([g[n].double().flatten() for n in names]) for g in (found, exact))
    return float(a @ b / (a.norm() * b.norm()).clamp(min=1e-300))
