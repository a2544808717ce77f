"""The audit: the online gradient and truncated BPTT, each against BPTT through all steps.

A fresh network of the config's sizes reads random spikes at its task's input rate, with a loss at
every step and streams that start anew in mid-chunk; its weights stay fixed, so the sum of the
chunks' gradients is to equal BPTT's wherever a rule is exact.

    cosine = ⟨g, g_BPTT⟩ / (|g| |g_BPTT|)      relative error = |g - g_BPTT| / |g_BPTT|
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bim_explorer.analysis.bptt import bptt_gradient
from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.seeding import generator
from bim_explorer.engine.gradient import chunk_gradient
from bim_explorer.engine.network import Network, build_network
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.kernels import kernels_for
from bim_explorer.tasks import build_task

RESTART_RATE = 0.02


def audit(
    config: Config, chunk: int | None = None, steps: int = 128, dtype: str | None = None
) -> dict[str, Any]:
    """Compare the config's credit rule and truncated BPTT with full BPTT.

    Args:
        config: Sizes, constants and `credit`; "truncated" audits the exact rule all the same.
        chunk: K; None takes the config's.
        steps: T, the length of the sequence.
        dtype: "float32" or "float64"; None takes the config's.

    Returns:
        `{"groups": {"block0.W": {"cosine", "relative_error", "truncated_cosine"}, …},
        "whole": {…}}`; the whole is all blocks together, without the readout, whose gradient
        no rule gets wrong and whose size would hide theirs.

    Raises:
        ConfigError: A chunk or a number of steps that cannot be run.
    """
    changes: dict[str, Any] = {} if chunk is None else {"chunk": chunk}
    values = config.copy(**changes, **({} if dtype is None else {"dtype": dtype})).values()
    if steps < 1:
        raise ConfigError(f"steps must be ≥ 1, got {steps}")
    if values["credit"] == "local":
        raise ConfigError(
            "credit=local is exact for the loss of each block, not for the whole one that BPTT "
            "descends: audit it with n_blocks=1 and credit=exact"
        )
    if values["model"] != "bim":
        raise ConfigError(
            f"model={values['model']} is trained by truncated BPTT: there is no online gradient "
            "to audit; leave model=bim"
        )
    network, data = _random_case(values, steps)
    with torch.no_grad():
        online = online_gradient(network, data, values["chunk"], "exact")
        truncated = online_gradient(network, data, values["chunk"], "truncated")
    reference = bptt_gradient(network, data)
    groups = {
        name: _compare(online[name], truncated[name], exact)
        for name, exact in reference.items()
        if name in online
    }
    names = [name for name in groups if name.startswith("block")]
    joined = [torch.cat([g[n].flatten() for n in names]) for g in (online, truncated, reference)]
    return {"groups": groups, "whole": _compare(*joined)}


def online_gradient(
    network: Network, data: ChunkTensors, chunk: int, credit: str
) -> dict[str, Tensor]:
    """Sum of the chunks' gradients over the sequence, streams beginning at rest."""
    network.reset()
    total: dict[str, Tensor] = {}
    for start in range(0, data.keep.shape[1], chunk):
        span = slice(start, start + chunk)
        piece = ChunkTensors(
            data.spikes[:, span], data.target[:, span], data.mask[:, span], data.keep[:, span]
        )
        traces = network.forward(piece.spikes, piece.keep)
        _, _, gradient = chunk_gradient(network, traces, piece, credit)
        total |= {name: total.get(name, 0.0) + g for name, g in gradient.items()}
    return total


def _random_case(values: dict[str, Any], steps: int) -> tuple[Network, ChunkTensors]:
    task = build_task(values)
    kernels = kernels_for(values["backend"], values["device"])
    network = build_network(values, task.d_in, task.n_out, task.input_rate, kernels)
    rng = generator(values["seed"], "audit")
    shape = (values["batch"], steps)
    keep = rng.random(shape) >= RESTART_RATE
    case = Chunk(
        spikes=(rng.random((*shape, task.d_in)) < task.input_rate).astype("uint8"),
        target=rng.integers(task.n_out, size=shape),
        mask=np.ones(shape, dtype=bool),
        keep=keep,
    )
    return network, ChunkTensors.of(case, network.readout.b)


def _compare(online: Tensor, truncated: Tensor, exact: Tensor) -> dict[str, float]:
    return {
        "cosine": _cosine(online, exact),
        "relative_error": float((online - exact).norm() / exact.norm().clamp(min=1e-300)),
        "truncated_cosine": _cosine(truncated, exact),
    }


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0, eps=1e-30))
