from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from chunks import assert_same, joined

from bim_explorer.config import Config
from bim_explorer.core.errors import DataError
from bim_explorer.tasks import TASKS, build_task
from bim_explorer.tasks.synthetic.formants import write_digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("digits")
    write_digits(path, seed=0, takes=10)
    return path


@pytest.fixture
def task(folder):
    def built(**changes):
        values = {"task": "digits", "data": str(folder), "dt_ms": 10.0, "batch": 3, **changes}
        return build_task(Config(**values).values())

    return built


def test_a_recording_is_judged_once_at_its_end(task):
    chunk = joined(task().held_out("validation", 16))
    ends = np.argwhere(chunk.verdict)
    assert len(ends) == 3 * 10 * 4
    for stream, step in ends[:-3]:
        if step + 1 < chunk.n_steps and chunk.mask[stream, step + 1]:
            assert not chunk.keep[stream, step + 1]
    assert chunk.mask.sum() > 10 * len(ends)


def test_the_target_is_the_digit_of_the_files_name(task, folder):
    made = task()
    reference = next(r for r in made._splits["train"] if r.path.name == "7_cleo_9.wav")
    record = made.load(reference)
    assert (record.target == 7).all()
    assert record.signal.shape == (len(record.target), made.channels)


def test_training_varies_a_recording_and_validation_does_not(task):
    made = task()
    reference = made._splits["train"][0]
    plain, again = (made.encoded(reference, name)[0] for name in "ab")
    varied, other = (made.encoded(reference, name, vary=True)[0] for name in "ab")
    np.testing.assert_array_equal(plain, again)
    assert len(varied) != len(other) or (varied != other).any()


def test_a_variation_keeps_the_verdict_at_the_end(task):
    made = task()
    record = made.load(made._splits["train"][0])
    for seed in range(20):
        varied = made.vary(record, np.random.default_rng(seed))
        assert 0.84 * len(record.target) < len(varied.target) < 1.16 * len(record.target)
        assert len(varied.signal) == len(varied.mask) == len(varied.verdict)
        assert np.flatnonzero(varied.verdict).tolist() == [len(varied.verdict) - 1]


def test_training_meets_no_held_out_recording(task):
    splits = task()._splits
    names = {split: {r.path.name for r in references} for split, references in splits.items()}
    assert not names["train"] & (names["validation"] | names["test"])
    assert not names["validation"] & names["test"]


def test_state_goes_on_exactly(task):
    one, other = task(), task()
    one.chunk(37)
    other.load_state(json.loads(json.dumps(one.state())))
    assert_same(one.chunk(50), other.chunk(50))


def test_a_network_hears_other_recordings_in_its_own_scale(task, tmp_path):
    write_digits(tmp_path, seed=5, takes=2)
    trained = task()
    other = build_task(
        Config(task="digits", data=str(tmp_path), dt_ms=10.0, batch=3).values(), trained.state()
    )
    np.testing.assert_array_equal(other.scale.mean, trained.scale.mean)
    assert joined(other.held_out("test", 16)).verdict.sum() == 2 * 10 * 4
    with pytest.raises(DataError, match="no record to train on"):
        other.chunk(3)


def test_a_faulty_recording_is_left_out_and_complained_about_once(task, folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "3_anna_8.wav").write_bytes(b"")
    (tmp_path / "3_bert_5.wav").write_bytes(b"no sound")
    made = task(data=str(tmp_path))
    made.chunk(1500)
    assert joined(made.held_out("validation", 16)).verdict.sum() == 3 * 10 * 4 - 1
    assert len(made.complaints) == 2
    assert any("3_anna_8.wav is empty" in complaint for complaint in made.complaints)


def test_it_says_whether_it_is_real(task):
    assert not task().synthetic
    assert "Real speech" in task().provenance
    assert "Synthetic" in type(task()).describe({"data": ""})


@pytest.mark.parametrize("name", ["digits", "connected-digits", "librispeech"])
def test_a_made_set_is_found_whole_and_a_fault_in_it_told(tmp_path, name, monkeypatch):
    monkeypatch.setattr("bim_explorer.tasks.synthetic.formants.TAKES", 1)
    kind = TASKS.load(name)
    kind.make(tmp_path, 3)
    files = [file for split in kind.files(str(tmp_path)).values() for file in split]
    files[0].write_bytes(b"")
    found = kind.inspect(str(tmp_path))
    assert sum(found["records"].values()) == len(files)
    assert len(found["faults"]) == 1
    assert f"{files[0].name} is empty" in found["faults"][0]


@pytest.mark.data
def test_real_digits_are_read(data_folder, task):
    if not (data_folder / "fsdd").is_dir():
        pytest.skip("BIM_DATA holds no fsdd")
    made = task(data=str(data_folder / "fsdd"))
    chunk = made.chunk(1000)
    assert set(np.unique(chunk.target)) == set(range(10))
    assert 0.05 < chunk.spikes.mean() < 0.95
    assert not made.complaints
