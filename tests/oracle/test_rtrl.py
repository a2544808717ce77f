"""BIM eqs. 7-8: the online gradient against BPTT through the whole sequence, in float64."""

from __future__ import annotations

import itertools
from operator import attrgetter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import cosine, online_gradient, random_case, relative_error
from plain_network import plain_gradient

from bim_explorer.analysis.bptt import bptt_gradient
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.functional.rtrl import places

pytestmark = pytest.mark.usefixtures("every_backend")

BLOCK_GROUPS = ["W", "W_delta", "b_delta", "W_B", "b_B", "W_C", "b_C", "A_log", "D"]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    chunk=st.sampled_from([1, 3, 16]),
    neurons=st.integers(1, 6),
    states=st.integers(1, 4),
    kernel=st.sampled_from(["exponential", "alpha"]),
)
def test_rtrl_matches_bptt_through_short_chunks(seed, chunk, neurons, states, kernel):
    network, data, values = random_case(seed, d_model=neurons, d_state=states, psp_kernel=kernel)
    online = online_gradient(network, data, chunk, "exact")
    reference = plain_gradient(network.parameters(), data, values)
    assert set(online) == set(reference)
    for name, exact in reference.items():
        assert (online[name] - exact).norm() <= 1e-10 * exact.norm(), name


@pytest.mark.parametrize("chunk", [1, 3, 16])
@pytest.mark.parametrize("kernel", ["exponential", "alpha"])
def test_rtrl_of_living_synapses_alone_matches_bptt(chunk, kernel):
    network, data, values = random_case(11, psp_kernel=kernel)
    (block,) = network.blocks
    alive = torch.rand(block.theta.W.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    block.theta.W.mul_(alive)
    block.place = places(alive)
    online = online_gradient(network, data, chunk, "exact")
    reference = plain_gradient(network.parameters(), data, values)
    ours, exact = online.pop("block0.W"), reference.pop("block0.W")
    assert relative_error(ours * alive, exact * alive) < 1e-10
    assert relative_error(ours, exact) > 1e-3
    for name in reference:
        assert relative_error(online[name], reference[name]) < 1e-10, name


def test_every_group_is_reached_by_the_loss():
    network, data, values = random_case(0)
    reference = plain_gradient(network.parameters(), data, values)
    assert {f"block0.{group}" for group in BLOCK_GROUPS} < set(reference)
    for name, exact in reference.items():
        assert exact.norm() > 1e-3, name


@pytest.mark.parametrize("readout", ["y", "z"])
def test_rtrl_matches_bptt_for_either_readout_alone(readout):
    network, data, values = random_case(3, readout=readout)
    online = online_gradient(network, data, 3, "exact")
    reference = plain_gradient(network.parameters(), data, values)
    assert ("readout.W_y" in online) == (readout == "y")
    for name in online:
        assert relative_error(online[name], reference[name]) < 1e-10, name


def test_truncated_bptt_differs():
    network, data, values = random_case(1, steps=80, delta_min=0.001, delta_max=0.05)
    truncated = online_gradient(network, data, 1, "truncated")
    reference = plain_gradient(network.parameters(), data, values)
    for group in ("W_delta", "b_delta", "A_log"):
        assert cosine(truncated[f"block0.{group}"], reference[f"block0.{group}"]) < 0.999


def test_the_resets_own_path_is_kept():
    network, data, _ = random_case(2, readout="z")
    whole = online_gradient(network, data, 1, "exact")
    inside = ChunkTensors(data.spikes, data.target, data.mask, torch.ones_like(data.keep))
    unbroken = online_gradient(network, inside, 1, "exact")
    assert relative_error(unbroken["block0.W"], whole["block0.W"]) > 1e-3


def test_a_stack_is_close_to_bptt_but_not_exact():
    network, data, values = random_case(4, steps=96, n_blocks=2, d_model=12, inputs=12)
    online = online_gradient(network, data, 16, "exact")
    reference = plain_gradient(network.parameters(), data, values)
    names = [name for name in reference if name.startswith("block")]
    joined = [torch.cat([g[n].flatten() for n in names]) for g in (online, reference)]
    assert 0.9 < cosine(*joined) < 1 - 1e-9
    top = [n for n in names if n.startswith("block1")]
    for name in top:
        assert relative_error(online[name], reference[name]) < 1e-10, name


@pytest.mark.parametrize("chunk", [1, 5])
def test_local_credit_is_exact_for_each_blocks_own_loss(chunk):
    network, data, values = random_case(5, n_blocks=2)
    online = online_gradient(network, data, chunk, "local")
    reference = plain_gradient(network.parameters(), data, values, local=True)
    for name, exact in reference.items():
        assert relative_error(online[name], exact) < 1e-10, name


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000), blocks=st.integers(1, 3))
def test_both_bptt_oracles_agree(seed, blocks):
    network, data, values = random_case(seed, steps=20, n_blocks=blocks)
    ours, plain = bptt_gradient(network, data), plain_gradient(network.parameters(), data, values)
    for name in plain:
        assert relative_error(ours[name], plain[name]) < 1e-12, name


@pytest.mark.parametrize("group", BLOCK_GROUPS)
def test_finite_differences_of_the_smooth_part(group):
    """With the readout on y alone one block's loss is smooth: no surrogate is involved."""
    network, data, _ = random_case(6, steps=12, readout="y")
    gradient = online_gradient(network, data, 4, "exact")[f"block0.{group}"]
    tensor = network.parameters()[f"block0.{group}"]
    step = 1e-6

    def loss() -> float:
        network.reset()
        logits = network.votes(network.forward(data.spikes, data.keep))[0]
        nats = -torch.log_softmax(logits, -1).gather(-1, data.target[..., None])[..., 0]
        return float((nats * data.mask).sum() / len(nats))

    for index in range(0, tensor.numel(), 3):
        flat = tensor.view(-1)
        flat[index] += step
        above = loss()
        flat[index] -= 2 * step
        below = loss()
        flat[index] += step
        slope = (above - below) / (2 * step)
        assert slope == pytest.approx(float(gradient.flatten()[index]), rel=1e-5, abs=1e-7)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 29), max_size=4, unique=True))
def test_chunks_of_any_length_are_the_step_by_step_network(seed, cuts):
    network, data, _ = random_case(seed, steps=30, n_blocks=2)
    whole = network.forward(data.spikes, data.keep)
    network.reset()
    edges = [0, *sorted(cuts), 30]
    pieces = [
        network.forward(data.spikes[:, a:b], data.keep[:, a:b])
        for a, b in itertools.pairwise(edges)
    ]
    for block, trace in enumerate(whole):
        for field in ("y", "v", "z"):
            read = attrgetter(field)
            joined = torch.cat([read(piece[block]) for piece in pieces], 1)
            torch.testing.assert_close(joined, read(trace), rtol=0, atol=1e-12)
        h_after = pieces[-1][block].dendrite.h_after
        torch.testing.assert_close(h_after, trace.dendrite.h_after, rtol=0, atol=1e-12)


def test_a_batch_is_its_streams_side_by_side():
    network, data, _ = random_case(8, batch=3)
    together = online_gradient(network, data, 7, "exact")
    apart: dict[str, torch.Tensor] = {}
    for b in range(3):
        alone = network.twin(1)
        one = ChunkTensors(*(each[b : b + 1] for each in data))
        for name, g in online_gradient(alone, one, 7, "exact").items():
            apart[name] = apart.get(name, torch.zeros_like(g)) + g / 3
    for name, g in together.items():
        assert relative_error(apart[name], g) < 1e-12, name
