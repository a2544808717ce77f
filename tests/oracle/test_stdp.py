"""BIM eqs. 5-6: the term from two traces against the double sum over all spike pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bim_explorer.functional.stdp import StdpTraces, Window, stdp_term

A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS = 0.9, 1.2, 17.0, 34.0
WINDOW = Window(A_PLUS, A_MINUS, math.exp(-1 / TAU_PLUS), math.exp(-1 / TAU_MINUS))


def window(t: float) -> float:
    """W(t) of eq. 6, t in steps."""
    return A_PLUS * math.exp(-t / TAU_PLUS) if t >= 0 else -A_MINUS * math.exp(t / TAU_MINUS)


def double_sum(pre, post, keep):
    """Eq. 5 spelled out, streams averaged; no pair reaches across a stream's start."""
    omega = np.zeros((post.shape[2], pre.shape[2]))
    for b in range(len(pre)):
        stream = np.cumsum(keep[b] == 0)
        for t_i, i in np.argwhere(post[b]):
            for t_j, j in np.argwhere(pre[b]):
                if stream[t_i] == stream[t_j]:
                    omega[i, j] += window(int(t_i) - int(t_j)) / len(pre)
    return omega


def in_chunks(pre, post, keep, chunk):
    """The same in chunks of the given length."""
    pre, post, keep = (torch.as_tensor(x, dtype=torch.float64) for x in (pre, post, keep))
    total = torch.zeros(post.shape[2], pre.shape[2], dtype=torch.float64)
    traces = StdpTraces(torch.zeros_like(pre[:, 0]), torch.zeros_like(post[:, 0]))
    for start in range(0, pre.shape[1], chunk):
        at = slice(start, start + chunk)
        omega, traces = stdp_term(pre[:, at], post[:, at], keep[:, at], traces, WINDOW)
        total += omega
    return total.numpy()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), chunk=st.sampled_from([1, 7, 120]), rate=st.floats(0.02, 0.4))
def test_traces_give_the_double_sum_over_all_pairs(seed, chunk, rate):
    rng = np.random.default_rng(seed)
    pre, post = rng.random((2, 120, 4)) < rate, rng.random((2, 120, 3)) < rate
    keep = rng.random((2, 120)) >= 0.02
    expected = double_sum(pre, post, keep)
    np.testing.assert_allclose(in_chunks(pre, post, keep, chunk), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("t_pre", "t_post", "expected"),
    [
        (3, 8, A_PLUS * math.exp(-5 / TAU_PLUS)),
        (8, 3, -A_MINUS * math.exp(-5 / TAU_MINUS)),
        (5, 5, A_PLUS),
    ],
)
@pytest.mark.parametrize("chunk", [1, 4, 10])
def test_a_single_pair_by_hand(t_pre, t_post, expected, chunk):
    pre, post = np.zeros((1, 10, 1)), np.zeros((1, 10, 1))
    pre[0, t_pre], post[0, t_post] = 1, 1
    omega = in_chunks(pre, post, np.ones((1, 10)), chunk)
    assert omega.item() == pytest.approx(expected, abs=1e-14)


def test_no_pair_reaches_across_a_streams_start():
    pre, post, keep = np.zeros((1, 10, 1)), np.zeros((1, 10, 1)), np.ones((1, 10))
    pre[0, 2], post[0, 7], keep[0, 5] = 1, 1, 0
    assert in_chunks(pre, post, keep, 4).item() == 0.0
