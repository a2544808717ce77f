"""Every neuron by name: RTRL stays exact, a chunk is its steps, a slope is the derivative."""

from __future__ import annotations

import math

import pytest
import torch
from networks import cosine, online_gradient, random_case, relative_error

from bim_explorer.analysis.bptt import bptt_gradient
from bim_explorer.config import Config
from bim_explorer.core.registries import NEURONS
from bim_explorer.functional.soma import Soma
from bim_explorer.functional.surrogate import spike, surrogate_derivative
from bim_explorer.kernels import kernels_for

pytestmark = pytest.mark.usefixtures("every_backend")

SIZES = {"d_model": 5, "dtype": "float64"}


def soma_of(name: str, **values) -> Soma:
    return NEURONS.load(name)(Config(neuron=name, **SIZES, **values).values())


@pytest.mark.parametrize("chunk", [1, 3, 16])
@pytest.mark.parametrize("name", NEURONS.names())
def test_rtrl_matches_bptt_with_every_neuron(name, chunk):
    network, data, _ = random_case(3, neuron=name)
    online = online_gradient(network, data, chunk, "exact")
    reference = bptt_gradient(network, data)
    for group, exact in reference.items():
        assert exact.norm() > 1e-3, group
        assert relative_error(online[group], exact) < 1e-10, group


@pytest.mark.parametrize("name", NEURONS.names())
def test_truncated_bptt_differs_with_every_neuron(name):
    network, data, _ = random_case(3, neuron=name, steps=80, delta_min=0.001, delta_max=0.05)
    truncated, reference = (
        online_gradient(network, data, 1, "truncated"),
        bptt_gradient(network, data),
    )
    for group in ("W_delta", "A_log"):
        assert cosine(truncated[f"block0.{group}"], reference[f"block0.{group}"]) < 0.999


@pytest.mark.parametrize("name", NEURONS.names())
@pytest.mark.parametrize("backend", ["torch", "numba"])
def test_a_chunk_is_its_steps(name, backend):
    soma, generator = soma_of(name), torch.Generator().manual_seed(0)
    y = 2 * torch.randn(3, 40, 5, generator=generator, dtype=torch.float64)
    keep = (torch.rand(3, 40, generator=generator) > 0.1).double()
    v_0 = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    chunk, before = soma.forward(y, keep, v_0, kernels_for(backend)), v_0
    for t in range(40):
        kept, z = keep[:, t, None], spike(before - soma.v_th)
        slope = kept * soma.slope(before)
        before = soma.step(kept * before, kept * z, y[:, t])
        above = before - soma.v_th
        expected = (before, spike(above), surrogate_derivative(above), slope)
        for ours, step in zip(chunk[:-1], expected, strict=True):
            torch.testing.assert_close(ours[:, t], step, rtol=0, atol=1e-12)
    assert torch.equal(chunk.v_after, chunk.v[:, -1])
    assert chunk.z.sum() > 20


@pytest.mark.parametrize("name", NEURONS.names())
def test_a_slope_that_is_written_out_is_the_derivative(name):
    soma = soma_of(name)
    v = torch.linspace(-3, 4, 50, dtype=torch.float64)[:, None].expand(50, 5)
    expected = Soma.slope(soma, v)
    torch.testing.assert_close(soma.slope(v), expected, rtol=1e-12, atol=1e-12)
    # Below threshold, where the surrogate has all but vanished, it is the slope that one sees.
    far, step = torch.full((1, 5), -60.0, dtype=torch.float64), 1e-5
    z = torch.zeros_like(far)
    seen = (soma.left(far + step, z) - soma.left(far - step, z)) / (2 * step)
    torch.testing.assert_close(soma.slope(far), seen, rtol=0, atol=2e-3)


def test_heterogeneous_neurons_have_the_mean_time_constant_and_their_seeds_draw():
    values = Config(neuron="heterogeneous", d_model=4096, dtype="float64", tau_mem_ms=5.0).values()
    neuron = NEURONS.load("heterogeneous")
    tau_ms = -1.0 / neuron(values).decay.log()
    assert float(tau_ms.mean()) == pytest.approx(5.0, rel=0.05)
    assert float(tau_ms.std()) == pytest.approx(5.0 / math.sqrt(3), rel=0.1)
    again, other = neuron(values), neuron({**values, "seed": 1})
    assert torch.equal(again.decay, neuron(values).decay)
    assert not torch.equal(again.decay, other.decay)


def test_an_exponential_neuron_by_hand():
    soma = soma_of("exponential", tau_mem_ms=10.0, v_th=1.0)
    rho = math.exp(-0.1)
    v = torch.tensor([[0.0, 0.75, 1.0, 9.0, -5.0]], dtype=torch.float64)
    z = (v > 1.0).double()
    upstroke = [math.exp((min(x, 1.0) - 0.75) / 0.25) for x in (0.0, 0.75, 1.0, 9.0, -5.0)]
    expected = [
        (1 - s) * (rho * x + (1 - rho) * 0.25 * e) + (1 - rho) * 2.0 * 0.5
        for x, s, e in zip(v[0].tolist(), z[0].tolist(), upstroke, strict=True)
    ]
    ours = soma.step(v, z, torch.full_like(v, 0.5))
    torch.testing.assert_close(ours[0], torch.tensor(expected, dtype=torch.float64))
