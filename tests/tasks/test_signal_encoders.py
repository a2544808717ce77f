"""Every signal encoder against its equations, written as plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bim_explorer.config import Config
from bim_explorer.tasks.encoders import ENCODERS
from bim_explorer.tasks.encoders.latency import WINDOW
from bim_explorer.tasks.encoders.lif import RESISTANCE, TAU_MS

signals = arrays(
    np.float32, st.tuples(st.integers(0, 40), st.just(2)), elements=st.floats(-4, 4, width=16)
)


def built(name, **changes):
    values = Config(**changes).values()
    return ENCODERS.load(name)(2, values, np.random.default_rng(0)), values


def send_on_delta(x, values):
    spikes, sent = np.zeros((len(x), 4), np.uint8), [np.float32(0)] * 2
    theta = np.float32(values["encoder_threshold"])
    for t, row in enumerate(x):
        for c, value in enumerate(row):
            if value - sent[c] >= theta:
                spikes[t, 2 * c], sent[c] = 1, sent[c] + theta
            elif sent[c] - value >= theta:
                spikes[t, 2 * c + 1], sent[c] = 1, sent[c] - theta
    return spikes


def level_crossing(x, values):
    n = values["encoder_levels"]
    spikes = np.zeros((len(x), 2, 2, n), np.uint8)
    for t in range(len(x)):
        for c in range(2):
            before = x[t - 1, c] if t else 0
            for i in range(n):
                level = values["encoder_threshold"] * (i - (n - 1) / 2)
                spikes[t, c, 0, i] = before < level <= x[t, c]
                spikes[t, c, 1, i] = x[t, c] < level <= before
    return spikes.reshape(len(x), 4 * n)


def receptive_fields(x, values):
    n = values["encoder_levels"]
    centres = [-2 + 4 * i / (n - 1) for i in range(n)]
    spikes, total = np.zeros((len(x), 2, n), np.uint8), np.full((2, n), 0.5)
    for t in range(len(x)):
        for c in range(2):
            for i, centre in enumerate(centres):
                distance = (min(max(float(x[t, c]), -2), 2) - centre) / (4 / (n - 1))
                before = math.floor(total[c, i])
                total[c, i] += math.exp(-(distance**2) / 2)
                spikes[t, c, i] = math.floor(total[c, i]) > before
    return spikes.reshape(len(x), 2 * n)


def latency(x, values):
    spikes = np.zeros((len(x), 2), np.uint8)
    for start in range(0, len(x), WINDOW):
        for c in range(2):
            low = 1 / (1 + math.exp(float(x[start, c])))
            step = start + min(int(WINDOW * low), WINDOW - 1)
            if step < len(x):
                spikes[step, c] = 1
    return spikes


def lif(x, values):
    spikes, v = np.zeros((len(x), 4), np.uint8), np.zeros(4)
    decay = math.exp(-values["dt_ms"] / TAU_MS)
    for t, (left, right) in enumerate(x.astype(float)):
        current = np.maximum([left, -left, right, -right], 0)
        v = decay * v + (1 - decay) * RESISTANCE * current
        spikes[t] = v >= values["encoder_threshold"]
        v = np.where(spikes[t], v - values["encoder_threshold"], v)
    return spikes


ORACLES: dict[str, Callable] = {
    "send-on-delta": send_on_delta,
    "level-crossing": level_crossing,
    "receptive-fields": receptive_fields,
    "latency": latency,
    "lif": lif,
}


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=20)
@given(signal=signals)
def test_an_encoder_follows_its_equations(name, signal):
    encoder, values = built(name, encoder_threshold=0.75, encoder_levels=5, dt_ms=4)
    expected = ORACLES[name](signal, values)
    np.testing.assert_array_equal(encoder.encode(signal, np.random.default_rng(1)), expected)


@pytest.mark.parametrize("name", ENCODERS.names())
@settings(max_examples=20)
@given(signal=signals, cut=st.integers(0, 40))
def test_no_spike_depends_on_a_later_step(name, signal, cut):
    encoder, _ = built(name)
    whole, part = (encoder.encode(x, np.random.default_rng(1)) for x in (signal, signal[:cut]))
    np.testing.assert_array_equal(whole[:cut], part)


@pytest.mark.parametrize("name", ENCODERS.names())
def test_size_type_and_expected_rate_hold(name):
    rng = np.random.default_rng(2)
    signal = np.zeros((20_000, 2), np.float32)
    for t in range(1, len(signal)):
        signal[t] = 0.9 * signal[t - 1] + math.sqrt(0.19) * rng.standard_normal(2)
    encoder, _ = built(name, encoder_levels=3, dt_ms=5)
    spikes = encoder.encode(signal, rng)
    assert spikes.dtype == np.uint8
    assert spikes.shape == (len(signal), encoder.size)
    assert spikes.max() == 1
    assert spikes.mean() == pytest.approx(encoder.rate, rel=0.15)


def test_poisson_spikes_as_often_as_its_equation_says():
    encoder, _ = built("poisson", encoder_gain=2.0, encoder_levels=3)
    signal = np.tile(np.float32([0.5, -0.1]), (20_000, 1))
    rates = encoder.encode(signal, np.random.default_rng(0)).mean(0).reshape(2, 2, 3)
    on, off = 1 - math.exp(-1.0), 1 - math.exp(-0.2)
    np.testing.assert_allclose(rates[0], [[on] * 3, [0] * 3], atol=0.02)
    np.testing.assert_allclose(rates[1], [[0] * 3, [off] * 3], atol=0.02)


def test_poisson_draws_from_the_generator_it_is_given():
    encoder, _ = built("poisson")
    signal = np.ones((50, 2), np.float32)
    one, same, other = (encoder.encode(signal, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_send_on_delta_adds_up_to_the_signal_within_a_threshold():
    encoder, _ = built("send-on-delta", encoder_threshold=0.1)
    signal = np.sin(np.arange(300) / 30)[:, None].repeat(2, 1).astype(np.float32)
    spikes = encoder.encode(signal).astype(float)
    followed = 0.1 * np.cumsum(spikes[:, 0::2] - spikes[:, 1::2], axis=0)
    assert np.abs(followed - signal).max() < 0.1


def test_a_higher_gain_makes_no_fewer_spikes():
    for name in ("send-on-delta", "lif", "poisson"):
        assert built(name, encoder_gain=3.0)[0].rate > built(name, encoder_gain=0.5)[0].rate
