"""Filters, beats and features hear the past alone."""

from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.tasks import ecg, eeg
from bim_explorer.tasks.beats import beats_of, mean_beat, rhythm
from bim_explorer.tasks.causal import bandpass, highpass, last_heard, running_mean
from bim_explorer.tasks.scale import Scale
from bim_explorer.tasks.synthetic.hearts import heart

RATE = 100.0


@pytest.fixture
def leads():
    return heart(("NORM",), np.random.default_rng(3))


@pytest.fixture
def noise():
    return 5.0 + np.random.default_rng(1).standard_normal((700, 3))


@pytest.mark.parametrize("until", [1, 37, 400])
@pytest.mark.parametrize(
    "made",
    [
        lambda x: highpass(x, RATE, 0.5),
        lambda x: bandpass(x, RATE, 3.0, 8.0),
        lambda x: running_mean(x, RATE, 2.0),
    ],
)
def test_filters_are_causal(noise, made, until):
    np.testing.assert_array_equal(made(noise[:until]), made(noise)[:until])


def test_running_mean_is_plain_at_first_and_leaky_then(noise):
    mean = running_mean(noise, RATE, 2.0)
    plain = np.cumsum(noise, axis=0) / np.arange(1, len(noise) + 1)[:, None]
    np.testing.assert_allclose(mean[:200], plain[:200], rtol=1e-12)
    expected = mean[299] + (noise[300] - mean[299]) / 200
    np.testing.assert_allclose(mean[300], expected, rtol=1e-12)


def test_a_constant_offset_makes_no_transient():
    still = np.full((50, 2), 1234.5)
    np.testing.assert_allclose(highpass(still, RATE, 0.5), 0, atol=1e-9)
    np.testing.assert_allclose(bandpass(still, RATE, 1.0, 3.0), 0, atol=1e-9)


def test_a_band_passes_its_own_frequency_alone():
    time = np.arange(2000) / RATE
    tones = np.stack([np.sin(2 * np.pi * hz * time) for hz in (0.3, 5.0, 35.0)], axis=1)
    slow, within, fast = bandpass(tones, RATE, 3.0, 8.0)[1000:].std(0)
    assert within > 0.6
    assert max(slow, fast) < 0.35 * within


@pytest.mark.parametrize(("rate", "dt_ms"), [(256.0, 50.0), (100.0, 50.0), (100.0, 3.0)])
def test_a_step_hears_the_samples_before_its_end(rate, dt_ms):
    heard = last_heard(1000, rate, dt_ms)
    ends = (np.arange(len(heard)) + 1) * dt_ms / 1000
    assert len(heard) == int(1000 / rate / dt_ms * 1000 + 1e-6)
    assert (heard[1:] / rate < ends[1:]).all()
    assert ((heard + 1) / rate > ends - 1 / rate - 1e-9).all()


def test_features_of_brains_are_causal():
    signal = 40 * np.random.default_rng(2).standard_normal((2000, 18))
    whole = eeg.features_of(signal, 256.0)
    np.testing.assert_array_equal(eeg.features_of(signal[:777], 256.0), whole[:777])
    assert whole.shape == (2000, eeg.Eeg.channels)


@pytest.mark.parametrize("until", [150, 430, 801])
def test_features_of_hearts_are_causal(leads, until):
    """But for the sample that a beat's peak needs behind it to be one."""
    used = leads[:, ecg._COLUMNS]
    heard = np.arange(until - 1)
    whole = ecg.features_of(used, RATE, heard)
    np.testing.assert_array_equal(ecg.features_of(used[:until], RATE, heard), whole)
    assert whole.shape[1] == ecg.Ecg.channels


def test_beats_are_where_the_hearts_peaks_are(leads):
    beats = beats_of(highpass(leads, RATE, 0.5), RATE)
    distances = np.diff(beats) / RATE
    assert len(beats) >= 5
    assert (distances > 0.25).all()
    assert distances.std() < 0.2 * distances.mean()
    found = rhythm(beats, len(leads), RATE)
    np.testing.assert_allclose(np.exp(found[-1, 0]), distances.mean(), rtol=0.15)


def test_the_mean_beat_is_the_beat_where_all_are_the_same():
    pulse = np.exp(-0.5 * (np.arange(-25, 45) / 3) ** 2)[:, None]
    leads = np.zeros((900, 1))
    beats = np.arange(60, 800, 90)
    for beat in beats:
        leads[beat - 25 : beat + 45] += pulse
    mean = mean_beat(leads, beats, RATE)
    assert (mean[: beats[0] + 45] == 0).all()
    np.testing.assert_allclose(mean[-1], mean[beats[0] + 45], rtol=1e-12)
    assert mean[-1].max() == pytest.approx(pulse[24:26].mean(), rel=0.2)


def test_a_scale_brings_its_signals_to_zero_mean_and_unit_variance(noise):
    noise[:, 2] = 7.0
    scale = Scale.of([noise[:300], noise[300:]])
    scaled = scale(noise)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), [1, 1, 0], atol=1e-5)
    again = Scale.from_state(scale.state())
    np.testing.assert_allclose(again(noise), scaled, atol=1e-5)
