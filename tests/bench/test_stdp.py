from __future__ import annotations

import pytest
import torch

from bim_explorer.bench.stdp import InPlace, Ours


@pytest.mark.parametrize("backend", ["torch", "numba"])
@pytest.mark.parametrize("chunk", [1, 5, 20])
def test_plain_torch_and_ours_move_the_weights_alike(chunk, backend):
    made = torch.Generator().manual_seed(0)
    pre, post = ((torch.rand(3, 20, 7, generator=made) < 0.2).to(torch.float64) for _ in range(2))
    ours, plain = Ours(pre, post, chunk, backend), InPlace(pre, post)
    for _ in range(2):
        ours.run()
        plain.run()
    assert float(plain.weights.norm()) > 1e-4
    torch.testing.assert_close(ours.weights, plain.weights, rtol=1e-10, atol=1e-14)
