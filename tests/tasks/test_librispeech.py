from __future__ import annotations

from itertools import groupby

import pytest
from chunks import joined

from bim_explorer.config import Config
from bim_explorer.core.errors import DataError
from bim_explorer.tasks import build_task
from bim_explorer.tasks.librispeech import LibriSpeech, spoken
from bim_explorer.tasks.synthetic.spelling import write_sentences


def collapsed(target):
    return "".join(LibriSpeech.symbols[label] for label, _ in groupby(target) if label)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sentences")
    write_sentences(path, seed=0, sentences=3)
    return path


@pytest.fixture
def task(folder):
    values = {"task": "librispeech", "data": str(folder), "dt_ms": 10.0, "batch": 2}
    return build_task(Config(**values).values())


def test_what_is_no_letter_is_left_out():
    assert spoken("Don't  stop—24 now") == "DON'T STOP NOW"


def test_an_utterance_is_read_with_its_words(task):
    utterance = task._splits["train"][0]
    record = task.load(utterance)
    assert collapsed(record.target) == utterance.text
    assert record.signal.shape == (len(record.target), task.channels)
    assert record.verdict[-1]
    assert record.verdict.sum() == 1


def test_held_out_utterances_are_all_played(task):
    chunk = joined(task.held_out("validation", 32))
    assert chunk.verdict.sum() == len(task._splits["validation"]) == 3


def test_a_faulty_file_is_complained_about_and_the_rest_goes_on(tmp_path):
    write_sentences(tmp_path, seed=0, sentences=3)
    spoiled = sorted(tmp_path.rglob("*.flac"))[::3]
    for path in spoiled:
        path.write_bytes(path.read_bytes()[:2000])
    task = build_task(Config(task="librispeech", data=str(tmp_path), dt_ms=10.0).values())
    task.chunk(600)
    assert task.complaints
    assert all(".flac" in complaint for complaint in task.complaints)


def test_a_step_too_long_for_the_words_says_so(folder):
    task = build_task(Config(task="librispeech", data=str(folder), dt_ms=100.0).values())
    with pytest.raises(DataError, match=r"too few for the characters.*lower dt_ms"):
        task.load(task._splits["train"][0])


@pytest.mark.data
def test_real_utterances_are_read(data_folder):
    folder = data_folder / "librispeech_test_other_100"
    if not folder.is_dir():
        pytest.skip("BIM_DATA holds no librispeech_test_other_100")
    task = build_task(Config(task="librispeech", data=str(folder), dt_ms=10.0).values())
    speakers = [{u.speaker for u in utterances} for utterances in task._splits.values()]
    assert not set.intersection(*speakers)
    assert all(speakers)
    for utterances in task._splits.values():
        assert collapsed(task.load(utterances[0]).target) == utterances[0].text
