"""What the engine is timed against does the same work: its gradients are the engine's own."""

from __future__ import annotations

import pytest
import torch
from networks import relative_error

from bim_explorer.bench.autograd_network import AutogradLearner
from bim_explorer.bench.timing import Options
from bim_explorer.bench.work import Sizes, network_of, stream
from bim_explorer.engine.gradient import chunk_gradient
from bim_explorer.functional.chunk import ChunkTensors

OPTIONS = Options(backend="torch")
SIZES = Sizes(inputs=8, neurons=6, states=3, blocks=2, batch=3, chunk=12, classes=4, rate=0.3)


@pytest.mark.parametrize("readout", ["y+z", "y", "z"])
def test_the_autograd_peer_finds_the_truncated_gradient(readout):
    """Two chunks, so that the state carried over is held to as well; weights stay fixed."""
    network = network_of(SIZES, OPTIONS, dtype="float64", readout=readout)
    noise = torch.Generator().manual_seed(1)
    for tensor in network.parameters().values():  # livelier, so that all neurons fire
        tensor += 0.5 * torch.randn(tensor.shape, generator=noise, dtype=torch.float64)
    peer = AutogradLearner(network, 0.0)
    chunks = stream(SIZES)
    for _ in range(2):
        chunk = next(chunks)
        data = ChunkTensors.of(chunk, network.readout.b)
        with torch.no_grad():
            traces = network.forward(data.spikes, data.keep)
            _, _, ours = chunk_gradient(network, traces, data, "truncated")
        theirs = peer.update(chunk)
    assert set(ours) <= set(theirs)
    for name, gradient in ours.items():
        assert float(gradient.norm()) > 0, name
        other = theirs[name].grad
        assert other is not None
        assert relative_error(gradient, other) < 1e-12, name
