"""The pairing protocol measures eq. 6 where pairs are alone, and eq. 5's sum where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.analysis.pairing import pairing, time_constants
from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.views.plots.window import window

WINDOW = {"a_plus": 0.8, "a_minus": 1.1, "tau_plus_ms": 12.0, "tau_minus_ms": 30.0}


@pytest.mark.parametrize("chunk", [1, 8, 50])
@pytest.mark.parametrize("dt_ms", [0.5, 1.0])
def test_lone_pairs_measure_the_window(chunk, dt_ms):
    config = Config(**WINDOW, chunk=chunk, dt_ms=dt_ms)
    measured = pairing(config, np.arange(-60.0, 61.0, 10.0), pairs=3)
    np.testing.assert_allclose(measured.change, window(measured.delta_t_ms, WINDOW), atol=1e-9)


def test_a_pair_at_zero_potentiates():
    assert pairing(Config(**WINDOW), np.array([0.0]), pairs=2).change == pytest.approx([0.8])


def test_fast_pairs_meet_their_neighbours_too():
    delta_t, pairs, every = np.array([-8.0, 5.0]), 6, 20.0
    apart = np.arange(-pairs + 1, pairs)
    each = window(delta_t[:, None] + every * apart, WINDOW) * (1 - np.abs(apart) / pairs)
    measured = pairing(Config(**WINDOW), delta_t, pairs, every)
    np.testing.assert_allclose(measured.change, each.sum(1), atol=1e-12)
    assert not np.allclose(measured.change, window(delta_t, WINDOW), rtol=0.05)


def test_nearest_spikes_leave_the_neighbours_out():
    delta_t = np.array([5.0])
    measured = pairing(Config(**WINDOW, rule="nearest-stdp"), delta_t, 40, 20.0)
    # Of each pair's spikes, the postsynaptic one is potentiated by its own partner alone, the next
    # presynaptic one depressed by the postsynaptic spike 15 ms before it.
    expected = window(delta_t, WINDOW) + window(delta_t - 20.0, WINDOW) * 39 / 40
    np.testing.assert_allclose(measured.change, expected, atol=1e-12)


def test_the_decay_of_the_change_is_the_windows():
    assert time_constants(pairing(Config(**WINDOW), pairs=2)) == pytest.approx((12.0, 30.0))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ConfigError, match="half of every_ms = 50, got 30 ms"):
        pairing(Config(), np.array([30.0]), every_ms=50.0)
    with pytest.raises(ConfigError, match="pairs must be ≥ 1"):
        pairing(Config(), pairs=0)
    with pytest.raises(ConfigError, match="at least 2 Δt"):
        time_constants(pairing(Config(), np.array([5.0, 9.0]), pairs=1))
