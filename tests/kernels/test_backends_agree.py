"""Every backend computes what the torch reference computes."""

from __future__ import annotations

import pytest
import torch

from bim_explorer.kernels import kernels_for, numba_kernels, torch_kernels

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}


def random(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.rand(shape, generator=generator, dtype=dtype)


def close(a, b, dtype):
    torch.testing.assert_close(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_scans_agree(dtype, steps):
    decay, source = random(2, steps, 3, 5, dtype=dtype), random(2, steps, 3, 5, dtype=dtype, seed=1)
    initial = random(2, 3, 5, dtype=dtype, seed=2)
    for name, arguments in {
        "scan": (decay, source, initial),
        "scan_adjoint": (decay, source),
        "decay_to_end": (decay,),
    }.items():
        ours, reference = (getattr(k, name)(*arguments) for k in (numba_kernels, torch_kernels))
        close(ours, reference, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_membranes_agree(dtype):
    y, keep = 3 * random(2, 40, 6, dtype=dtype), (random(2, 40, dtype=dtype) > 0.1).to(dtype)
    arguments = (y, keep, random(2, 6, dtype=dtype, seed=3), 0.7, 0.6, 1.0)
    ours, reference = numba_kernels.membrane(*arguments), torch_kernels.membrane(*arguments)
    assert (reference > 1.0).any(), "no neuron spikes: the reset is not tested"
    close(ours, reference, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("states", "steps"), [(1, 1), (2, 5), (3, 8)])
def test_influences_agree(dtype, states, steps):
    batch, neurons, keys = 2, 3, 6
    rows = 5 * states + 2
    keyed = random(batch, neurons, rows, keys, dtype=dtype)
    factors = (
        random(batch, steps, neurons, rows, dtype=dtype, seed=1),
        random(batch, steps, keys, dtype=dtype, seed=2),
        random(batch, neurons, states, dtype=dtype, seed=3),
        random(batch, neurons, dtype=dtype, seed=4),
        random(batch, neurons, states, dtype=dtype, seed=5),
    )
    ours, reference = keyed.clone(), keyed.clone()
    numba_kernels.advance_influence(ours, *factors)
    torch_kernels.advance_influence(reference, *factors)
    close(ours, reference, dtype)
    d_h0, d_v0 = factors[2], factors[3]
    for a, b in zip(
        numba_kernels.border_gradient(keyed, d_h0, d_v0),
        torch_kernels.border_gradient(keyed, d_h0, d_v0),
        strict=True,
    ):
        close(a, b, dtype)


def test_auto_takes_numba_on_a_cpu_and_torch_elsewhere():
    assert kernels_for("auto", "cpu").name == "numba"
    assert kernels_for("auto", "meta").name == "torch"
    assert kernels_for("numba", "meta").name == "torch"
