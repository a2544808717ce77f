"""Local rules against their definitions spelled out, spike by spike and stream by stream."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bim_explorer.config import Config
from bim_explorer.core.registries import RULES
from bim_explorer.functional.rules.triplet import TAU_Y_MS

VALUES = Config(a_plus=0.9, a_minus=1.2, tau_plus_ms=17.0, tau_minus_ms=34.0).values()
A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS = (
    VALUES[name] for name in ("a_plus", "a_minus", "tau_plus_ms", "tau_minus_ms")
)
STEPS, INPUTS, NEURONS, BATCH = 60, 4, 3, 2


def spikes_of(seed: int):
    """Spikes of both sides and keep, with streams that begin anew; and weights."""
    rng = np.random.default_rng(seed)
    pre = rng.random((BATCH, STEPS, INPUTS)) < 0.2
    post = rng.random((BATCH, STEPS, NEURONS)) < 0.15
    keep = rng.random((BATCH, STEPS)) >= 0.05
    return pre, post, keep, rng.normal(size=(NEURONS, INPUTS))


def in_chunks(name, pre, post, keep, weights, chunk):
    """Ω of the whole sequence, gathered in chunks."""
    rule = RULES.load(name)(VALUES)
    pre, post, keep, weights = (
        torch.as_tensor(x, dtype=torch.float64) for x in (pre, post, keep, weights)
    )
    state = rule.start(torch.zeros_like(pre[:, 0]), torch.zeros_like(post[:, 0]))
    total = torch.zeros_like(weights)
    for start in range(0, pre.shape[1], chunk):
        at = slice(start, start + chunk)
        omega, state = rule.term(pre[:, at], post[:, at], keep[:, at], weights, state)
        total += omega
    return total.numpy()


def each_synapse(pre, post, keep, of):
    """Ω from a function of one synapse's spike times in one stream."""
    omega = np.zeros((NEURONS, INPUTS))
    for b in range(BATCH):
        number = np.cumsum(~keep[b])
        for stream in np.unique(number):
            here = number == stream
            for i in range(NEURONS):
                for j in range(INPUTS):
                    t_post = np.flatnonzero(post[b, :, i] & here)
                    t_pre = np.flatnonzero(pre[b, :, j] & here)
                    omega[i, j] += of(t_pre, t_post) / BATCH
    return omega


def nearest(t_pre, t_post):
    """Each spike with the last one of the other side; at Δt = 0 potentiation."""
    total = 0.0
    for t in t_post:
        if (earlier := t_pre[t_pre <= t]).size:
            total += A_PLUS * math.exp(-(t - earlier[-1]) / TAU_PLUS)
    for t in t_pre:
        if (earlier := t_post[t_post < t]).size:
            total -= A_MINUS * math.exp(-(t - earlier[-1]) / TAU_MINUS)
    return total


def triplet(t_pre, t_post):
    """Every post-post-pre triplet potentiates, every post-pre pair depresses."""
    total = 0.0
    for t in t_post:
        r = sum(math.exp(-(t - s) / TAU_PLUS) for s in t_pre if s <= t)
        o2 = sum(math.exp(-(t - s) / TAU_Y_MS) for s in t_post if s < t)
        total += A_PLUS * r * o2
    for t in t_pre:
        total -= A_MINUS * sum(math.exp(-(t - s) / TAU_MINUS) for s in t_post if s < t)
    return total


@pytest.mark.parametrize("chunk", [1, 7, STEPS])
@pytest.mark.parametrize(("name", "of"), [("nearest-stdp", nearest), ("triplet", triplet)])
@pytest.mark.parametrize("seed", range(3))
def test_traces_give_the_sum_over_spikes(name, of, chunk, seed):
    pre, post, keep, weights = spikes_of(seed)
    expected = each_synapse(pre, post, keep, of)
    assert np.abs(expected).max() > 0.1
    ours = in_chunks(name, pre, post, keep, weights, chunk)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 7, STEPS])
def test_oja_is_its_differential_rule_step_by_step(chunk):
    pre, post, keep, weights = spikes_of(5)
    keep_plus, keep_minus = math.exp(-1 / TAU_PLUS), math.exp(-1 / TAU_MINUS)
    expected = np.zeros((NEURONS, INPUTS))
    for b in range(BATCH):
        x, y = np.zeros(INPUTS), np.zeros(NEURONS)
        for t in range(STEPS):
            x = keep_plus * keep[b, t] * x + (1 - keep_plus) * pre[b, t]
            y = keep_minus * keep[b, t] * y + (1 - keep_minus) * post[b, t]
            expected += A_PLUS * y[:, None] * (x[None] - y[:, None] * weights) / BATCH
    ours = in_chunks("oja", pre, post, keep, weights, chunk)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_nearest_and_all_pairs_are_one_for_a_single_pair_and_differ_for_bursts():
    pre, post = np.zeros((1, 20, 1)), np.zeros((1, 20, 1))
    pre[0, 3], post[0, 8] = 1, 1
    keep, weights = np.ones((1, 20)), np.zeros((1, 1))
    both = [in_chunks(name, pre, post, keep, weights, 4) for name in ("stdp", "nearest-stdp")]
    assert both[0] == pytest.approx(both[1], abs=1e-15)
    pre[0, 5] = 1
    both = [in_chunks(name, pre, post, keep, weights, 4) for name in ("stdp", "nearest-stdp")]
    assert both[0] - both[1] == pytest.approx(A_PLUS * math.exp(-5 / TAU_PLUS))


def test_the_triplet_rule_turns_from_depression_to_potentiation_with_the_rate():
    """Independent spikes: BCM's threshold lies at a postsynaptic rate of A- τ- / (A+ τ+ τ_y)."""
    threshold = A_MINUS * TAU_MINUS / (A_PLUS * TAU_PLUS * TAU_Y_MS)
    rng, steps, changes = np.random.default_rng(0), 4000, []
    for rate in (0.4 * threshold, 2.0 * threshold):
        pre, post = rng.random((20, steps, 1)) < 0.05, rng.random((20, steps, 1)) < rate
        omega = in_chunks("triplet", pre, post, np.ones((20, steps)), np.zeros((1, 1)), 500)
        changes.append(float(omega.item()))
    assert changes[0] < 0 < changes[1]


@pytest.mark.parametrize("name", RULES.names())
def test_every_rule_forgets_at_a_streams_start_and_needs_no_chunking(name):
    pre, post, keep, weights = spikes_of(7)
    whole = in_chunks(name, pre, post, keep, weights, STEPS)
    np.testing.assert_allclose(in_chunks(name, pre, post, keep, weights, 5), whole, atol=1e-12)
    keep[:, 30] = False
    parts = [
        in_chunks(name, pre[:, at], post[:, at], keep[:, at], weights, 9)
        for at in (slice(0, 30), slice(30, STEPS))
    ]
    apart = in_chunks(name, pre, post, keep, weights, 9)
    np.testing.assert_allclose(sum(parts), apart, atol=1e-12)
    assert np.abs(whole).max() > 0
