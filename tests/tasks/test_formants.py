from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.core.seeding import generator
from bim_explorer.tasks.audio import log_mel, read_sound
from bim_explorer.tasks.readers.fsdd import find_recordings
from bim_explorer.tasks.synthetic.cache import cached_set
from bim_explorer.tasks.synthetic.formants import RATE, SPEAKERS, say, write_digits


def test_the_set_is_in_the_layout_of_the_real_one(tmp_path):
    write_digits(tmp_path / "set", seed=3, takes=2)
    recordings = find_recordings(str(tmp_path / "set"))
    assert len(recordings) == 10 * len(SPEAKERS) * 2
    samples, rate = read_sound(recordings[0].path)
    assert rate == RATE
    assert 0.15 < len(samples) / rate < 1.5


def test_seed_reproduces_a_recording_and_another_changes_it():
    one, same, other = (say(4, "anna", generator(seed, "take")) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other) or (one != other).any()


def test_digits_sound_more_like_themselves_than_like_others():
    """Nearest mean of the mean spectra in four quarters: chance is one in ten."""

    def picture(digit, speaker, seed):
        channels = log_mel(say(digit, speaker, generator(seed, "take")), RATE, 10, 24)
        return np.concatenate([part.mean(0) for part in np.array_split(channels, 4)])

    speakers = list(SPEAKERS)
    means = [
        np.mean([picture(d, s, k) for s in speakers for k in (0, 1)], axis=0) for d in range(10)
    ]
    heard = [
        np.argmin([np.square(picture(d, s, 9) - mean).sum() for mean in means]) == d
        for d in range(10)
        for s in speakers
    ]
    assert np.mean(heard) > 0.6


def test_a_set_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("BIM_CACHE", str(tmp_path / "cache"))
    made = []

    def make(folder):
        made.append(folder)
        (folder / "a").write_text("a")

    first, second = cached_set("things", make), cached_set("things", make)
    assert first == second == tmp_path / "cache" / "things"
    assert len(made) == 1
    assert (first / "a").read_text() == "a"


def test_a_set_whose_making_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("BIM_CACHE", str(tmp_path))

    def fail(folder):
        (folder / "half").write_text("a")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cached_set("things", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIM_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"file cannot hold the synthetic data.*set BIM_CACHE"):
        cached_set("things", lambda folder: None)
