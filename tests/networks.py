"""Small random networks and streams for the tests of engine and analysis."""

from __future__ import annotations

import numpy as np
import torch

from bim_explorer.analysis.audit import online_gradient
from bim_explorer.config import Config
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.network import build_network
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.kernels import kernels_for

__all__ = ["cosine", "online_gradient", "random_case", "random_chunk", "relative_error"]

#: Of networks that ask for none.
default_backend = "torch"


def random_chunk(
    batch: int, steps: int, inputs: int, classes: int, seed: int, rate: float = 0.2
) -> Chunk:
    """Random spikes and targets; half the steps supervised, streams that begin anew."""
    rng = np.random.default_rng(seed)
    shape = (batch, steps)
    return Chunk(
        spikes=(rng.random((*shape, inputs)) < rate).astype(np.uint8),
        target=rng.integers(classes, size=shape),
        mask=rng.random(shape) < 0.5,
        keep=rng.random(shape) >= 0.04,
    )


def random_case(seed: int = 0, steps: int = 50, inputs: int = 6, classes: int = 3, **values):
    """A float64 network of a few neurons and `steps` of random streams for it."""
    sizes = {"n_blocks": 1, "d_model": 5, "d_state": 3, "batch": 2, "dtype": "float64"}
    config = Config(**{**sizes, "backend": default_backend, "seed": seed, **values}).values()
    kernels = kernels_for(config["backend"])
    network = build_network(config, inputs, classes, 0.2, kernels)
    # Livelier than a fresh network, so that the readout and every path matter.
    generator = torch.Generator().manual_seed(seed)
    for tensor in network.parameters().values():
        noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        tensor.add_(0.3 * noise)
    chunk = random_chunk(config["batch"], steps, inputs, classes, seed + 1)
    return network, ChunkTensors.of(chunk, network.readout.b), config


def relative_error(a: torch.Tensor, b: torch.Tensor) -> float:
    """|a - b| / |b|; 0 where they are the same, were it nothing."""
    return float((a - b).norm() / b.norm()) if (a - b).any() else 0.0


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    """Cosine of the angle between two tensors."""
    return float((a * b).sum() / (a.norm() * b.norm()))
