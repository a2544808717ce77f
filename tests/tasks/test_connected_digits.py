from __future__ import annotations

import shutil
from itertools import groupby

import numpy as np
import pytest
import soundfile
from chunks import joined

from bim_explorer.config import Config
from bim_explorer.core.errors import DataError
from bim_explorer.tasks import build_task
from bim_explorer.tasks.synthetic.formants import write_digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("digits")
    write_digits(path, seed=0, takes=9)
    return path


@pytest.fixture
def task(folder):
    values = {"task": "connected-digits", "data": str(folder), "dt_ms": 10.0, "batch": 3}
    return build_task(Config(**values).values())


def spelled(task, target):
    return "".join(task.symbols[label] for label, _ in groupby(target) if label)


def test_collapsed_targets_are_the_digits_that_were_said(task):
    for utterance in task._splits["train"][:20]:
        record = task.load(utterance)
        said = [recording.digit for recording in utterance.recordings]
        assert spelled(task, record.target) == "".join(task.symbols[d + 1] for d in said)
        assert np.flatnonzero(record.verdict).tolist() == [len(record.target) - 1]
        assert record.mask.all()


def test_a_digit_is_asked_for_from_its_middle_to_shortly_after(task):
    for utterance in task._splits["train"][:10]:
        target = task.load(utterance).target
        onset = utterance.pauses_ms[0] / 10
        for recording, pause in zip(utterance.recordings, utterance.pauses_ms[1:], strict=True):
            end = onset + soundfile.info(recording.path).duration * 100
            answer = np.flatnonzero(target[int(onset) : int(end) + 9]) + int(onset)
            assert (target[answer] == recording.digit + 1).all()
            assert (np.diff(answer) == 1).all()
            assert onset < answer[0] < end
            assert len(answer) > 8
            onset = end + pause / 10


def test_utterances_keep_to_one_speaker_and_one_split(task):
    paths = {}
    for split, utterances in task._splits.items():
        assert utterances
        for utterance in utterances:
            assert len({recording.speaker for recording in utterance.recordings}) == 1
            assert len(utterance.pauses_ms) == len(utterance.recordings) + 1
        paths[split] = {r.path for u in utterances for r in u.recordings}
    assert not paths["train"] & (paths["validation"] | paths["test"])
    assert not paths["validation"] & paths["test"]


def test_held_out_utterances_are_all_played_and_alike_for_every_seed(task, folder):
    values = {"task": "connected-digits", "data": str(folder), "dt_ms": 10.0, "seed": 4}
    other = build_task(Config(**values).values())
    assert other._splits == task._splits
    verdicts = joined(task.held_out("validation", 32)).verdict.sum()
    assert verdicts == len(task._splits["validation"])


def test_recordings_of_two_rates_are_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*_anna_8.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(path, samples, 2 * rate)
    for path in tmp_path.glob("*_anna_8.wav"):
        if path.name[0] in "02468":
            samples, _ = soundfile.read(path)
            soundfile.write(path, samples, 8000)
    made = build_task(
        Config(task="connected-digits", data=str(tmp_path), dt_ms=10.0, batch=2).values()
    )
    mixed = [u for u in made._splits["train"] if _rates(u) == {8000, 16000}]
    with pytest.raises(DataError, match=r"different rates \(\[8000, 16000\] Hz\)"):
        made.load(mixed[0])


def _rates(utterance):
    return {soundfile.info(recording.path).samplerate for recording in utterance.recordings}


def test_its_words_are_one_for_each_class(task):
    assert len(task.symbols) == task.n_out == 11
    assert task.symbols[0] == ""
    assert "joined" in task.provenance
