"""The plain step loop does the very work that the engine does with K = 1."""

from __future__ import annotations

import pytest
import torch
from networks import relative_error

from bim_explorer.bench.eager_rtrl import EagerRtrl
from bim_explorer.bench.timing import Options
from bim_explorer.bench.work import Sizes, network_of, stream, values_of
from bim_explorer.engine.learner import Learner

SIZES = Sizes(inputs=8, neurons=6, states=3, blocks=1, batch=2, chunk=1, classes=4, rate=0.3)


@pytest.mark.parametrize("backend", ["torch", "numba"])
def test_the_step_loop_moves_all_weights_as_the_engine_does(backend):
    """Forty updates with weights that move, hence with stale influences, too."""
    options = Options(backend=backend)
    settings = {"dtype": "float64", "learning_rate": 1e-3}
    network = network_of(SIZES, options, **settings)
    noise = torch.Generator().manual_seed(1)
    for tensor in network.parameters().values():  # livelier, so that all neurons fire
        tensor += 0.5 * torch.randn(tensor.shape, generator=noise, dtype=torch.float64)
    before = {name: tensor.clone() for name, tensor in network.parameters().items()}
    peer = EagerRtrl(network, 1e-3)
    learner = Learner(network, values_of(SIZES, options, **settings))
    chunks = stream(SIZES, chunks=40)
    for _ in range(40):
        chunk = next(chunks)
        learner.update(chunk)
        peer.update(chunk)
    assert float(peer.z.sum()) > 0
    for name, ours in network.parameters().items():
        assert float((ours - before[name]).norm()) > 1e-3, name
        assert relative_error(ours, peer.leaves[name]) < 1e-9, name
