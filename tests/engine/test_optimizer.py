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
