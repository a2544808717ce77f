from __future__ import annotations

import pytest
import torch

from bim_explorer.config import Config
from bim_explorer.engine.optimizer import Optimizer
from bim_explorer.engine.settings import Rule


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_a_transposed_gradient_moves_each_parameter_by_its_own(kind):
    """torch's fused Adam alone would pair them up by their place in memory."""
    made = torch.Generator().manual_seed(0)
    gradient = torch.randn(3, 5, generator=made, dtype=torch.float64)
    rule = Rule.from_values(Config(optimizer=kind).values())
    moved = []
    for direction in (gradient, gradient.T.contiguous().T):
        parameter = torch.zeros(3, 5, dtype=torch.float64)
        optimizer = Optimizer({"p": parameter}, rule)
        for scale in (1.0, 3.0):
            optimizer.step({"p": direction * scale}, 0.1)
        moved.append(parameter)
    assert torch.equal(*moved)
    assert torch.equal(moved[0].sign(), -gradient.sign())


def test_each_parameter_moves_as_with_an_adam_of_its_own():
    """Side by side in memory or not: some have a direction, some have moved less often."""
    made = torch.Generator().manual_seed(1)
    shapes = {"block0.W": (3, 2), "block0.b_delta": (3,), "readout.W_y": (2, 3), "readout.b": (2,)}
    parameters = {n: torch.randn(s, generator=made, dtype=torch.float64) for n, s in shapes.items()}
    own = {n: torch.nn.Parameter(p.clone()) for n, p in parameters.items()}
    peers = {n: torch.optim.Adam([p], lr=0.1) for n, p in own.items()}
    optimizer = Optimizer(parameters, Rule.from_values(Config(optimizer="adam").values()))
    moving = [list(shapes), ["block0.W", "readout.W_y", "readout.b"], list(shapes), ["readout.b"]]
    for names in moving:
        directions = {n: torch.randn(shapes[n], generator=made).double() for n in names}
        optimizer.step(directions, 0.1)
        for name, direction in directions.items():
            own[name].grad = direction
            peers[name].step()
    for name, parameter in parameters.items():
        torch.testing.assert_close(parameter, own[name].data, rtol=1e-12, atol=1e-12)
    steps = {n: int(optimizer.state()[f"{n}/step"]) for n in shapes}
    assert steps == {"block0.W": 3, "block0.b_delta": 2, "readout.W_y": 3, "readout.b": 4}
