from __future__ import annotations

import numpy as np
import pytest
import soundfile

from bim_explorer.core.errors import ConfigError, DataError
from bim_explorer.tasks.audio import QUIET, log_mel, read_sound

RATE = 8000


def tone(hz, seconds=0.5, rate=RATE, amplitude=0.3):
    time = np.arange(int(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def test_a_tone_is_loudest_in_the_channel_of_its_pitch():
    low, high = (log_mel(tone(hz), RATE, 10, 24)[-5:].mean(0).argmax() for hz in (300, 3000))
    assert low < 5 < 18 < high


def test_there_is_a_step_for_every_dt():
    for dt_ms, steps in ((1, 500), (10, 50), (40, 12)):
        assert log_mel(tone(500), RATE, dt_ms, 24).shape == (steps, 24)


@pytest.mark.parametrize("step", [1, 17, 49])
def test_a_step_hears_nothing_of_later_samples(step):
    whole = tone(700) * np.linspace(0, 1, 4000, dtype=np.float32)
    changed = whole.copy()
    changed[step * 80 :] = tone(2000)[step * 80 :]
    before, after = (log_mel(samples, RATE, 10, 24) for samples in (whole, changed))
    np.testing.assert_array_equal(before[:step], after[:step])
    assert (before[step] != after[step]).any()


def test_loudness_is_taken_off():
    loud, faint = (log_mel(tone(700, amplitude=a), RATE, 10, 24) for a in (0.9, 0.03))
    np.testing.assert_allclose(loud[5:].max(1), faint[5:].max(1), atol=0.5)


def test_silence_stays_quiet():
    silence = log_mel(np.zeros(800, np.float32), RATE, 10, 24)
    assert silence.max() < 0
    assert np.isfinite(silence).all()
    assert silence.min() == pytest.approx(-13.0 - QUIET)


def test_sampling_twice_as_often_changes_little():
    slow, fast = (log_mel(tone(700, rate=rate), rate, 10, 24)[5:] for rate in (8000, 16000))
    assert np.abs(slow.argmax(1) - fast.argmax(1)).max() <= 1


def test_a_step_shorter_than_a_sample_is_refused():
    with pytest.raises(ConfigError, match=r"dt_ms of 0\.1 is shorter than a sample"):
        log_mel(tone(700), RATE, 0.1, 24)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_sound_comes_back_as_it_was_written(tmp_path, kind):
    path = tmp_path / f"stereo.{kind}"
    soundfile.write(path, np.stack([tone(500), tone(500)], axis=1), RATE)
    samples, rate = read_sound(path)
    assert rate == RATE
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, tone(500), atol=1e-4)


def cut(path):
    path.write_bytes(path.read_bytes()[:3000])


def emptied(path):
    path.write_bytes(b"")


def garbled(path):
    path.write_bytes(b"no sound at all, but many bytes of it" * 50)


def no_samples(path):
    soundfile.write(path, np.zeros(0, np.float32), RATE)


@pytest.mark.parametrize("kind", ["wav", "flac"])
@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (cut, "is truncated|cannot be read as sound"),
        (emptied, "is empty: remove it"),
        (garbled, "cannot be read as sound"),
        (no_samples, "holds no samples|is empty"),
    ],
)
def test_a_faulty_file_is_named_with_its_fault(tmp_path, kind, spoil, fault):
    path = tmp_path / f"7_anna_0.{kind}"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 8000), RATE)
    spoil(path)
    with pytest.raises(DataError, match=rf"7_anna_0\.{kind} ({fault})"):
        read_sound(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.wav cannot be read: No such file"):
        read_sound(tmp_path / "gone.wav")


def test_samples_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.full(800, np.nan, np.float32), RATE, subtype="FLOAT")
    with pytest.raises(DataError, match="no numbers"):
        read_sound(path)
