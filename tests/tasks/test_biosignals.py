"""EEG and ECG: no leak between splits, verdicts where they belong, and state that goes on."""

from __future__ import annotations

import json
import shutil
from itertools import combinations

import numpy as np
import pytest
from chunks import assert_same, joined

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, DataError
from bim_explorer.tasks import TASKS, build_task
from bim_explorer.tasks.eeg import BACKGROUND, WINDOW_S, Excerpt, balanced, split_recordings
from bim_explorer.tasks.readers.chbmit import recordings
from bim_explorer.tasks.readers.ptbxl import FOLDS
from bim_explorer.tasks.records import sources_of
from bim_explorer.tasks.synthetic import brains, hearts

NAMES = ("eeg", "ecg")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    brains.write_set(found["eeg"], seed=0, n_patients=2, n_recordings=5)
    hearts.write_set(found["ecg"], seed=0, per_fold=4)
    return found


@pytest.fixture
def task(folders):
    def built(name, state=None, **changes):
        values = {"data": str(folders[name]), "dt_ms": 50.0, "batch": 3, **changes}
        return build_task(Config(task=name, **values).values(), state)

    return built


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_in_two_splits(task, name):
    splits = task(name)._splits
    files = {
        split: {file for reference in references for file in sources_of(reference)}
        for split, references in splits.items()
        if split != "rest"
    }
    assert all(files.values())
    assert all(not files[a] & files[b] for a, b in combinations(files, 2))


@pytest.mark.parametrize("name", NAMES)
def test_state_goes_on_exactly(task, name):
    one = task(name)
    one.chunk(130)
    other = task(name, json.loads(json.dumps(one.state())))
    assert_same(one.chunk(250), other.chunk(250))


@pytest.mark.parametrize("name", NAMES)
def test_held_out_records_come_whole_whatever_the_chunk(task, name):
    made = task(name)
    short, long = (joined(made.held_out("validation", steps)) for steps in (7, 100))
    steps = min(short.n_steps, long.n_steps)
    np.testing.assert_array_equal(short.spikes[:, :steps], long.spikes[:, :steps])
    np.testing.assert_array_equal(short.verdict[:, :steps], long.verdict[:, :steps])
    assert not short.mask[:, steps:].any()
    assert not long.mask[:, steps:].any()


@pytest.mark.parametrize("name", NAMES)
def test_training_features_are_in_scale(task, name):
    made = task(name)
    signals = [made.load(reference) for reference in made._splits["train"]]
    heard = np.concatenate([record.signal[record.mask] for record in signals])
    np.testing.assert_allclose(heard.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(np.median(heard.std(0)), 1, atol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_other_recordings_are_heard_in_the_scale_of_training(task, name, tmp_path):
    trained = task(name)
    if name == "eeg":
        brains.write_set(tmp_path, seed=9, n_patients=1, n_recordings=3)
    else:
        hearts.write_set(tmp_path, seed=9, per_fold=1)
    other = task(name, trained.state(), data=str(tmp_path))
    np.testing.assert_array_equal(other.scale.mean, trained.scale.mean)


def test_a_heart_is_judged_once_at_its_end_on_all_labels(task):
    made = task("ecg")
    chunk = joined(made.held_out("test", 20))
    assert chunk.verdict.sum() == 4
    assert chunk.target.shape[2] == 5
    for stream, step in np.argwhere(chunk.verdict):
        assert step + 1 == chunk.n_steps or not chunk.mask[stream, step + 1]


def test_folds_are_the_splits_of_hearts(task):
    for split, references in task("ecg")._splits.items():
        assert {reference.fold for reference in references} == {*FOLDS[split]}


def test_every_window_of_a_brain_is_judged_at_its_end(task, folders):
    made = task("eeg")
    reference = made._splits["train"][0]
    record = made.load(reference)
    windows = round((reference.stop_s - reference.start_s) / WINDOW_S)
    ends = np.flatnonzero(record.verdict)
    assert len(ends) == windows
    assert set(np.diff(ends)) == {round(1000 * WINDOW_S / 50)}


def test_a_window_is_a_seizure_where_half_of_it_lies_in_one(task):
    made = task("eeg")
    reference = next(e for e in made._splits["train"] if e.has_seizure)
    record = made.load(reference)
    begin, end = reference.recording.seizures[0]
    for number, last in enumerate(np.flatnonzero(record.verdict)):
        start = reference.start_s + number * WINDOW_S
        share = max(min(start + WINDOW_S, end) - max(start, begin), 0) / WINDOW_S
        assert record.target[last] == (share >= 0.5)


def test_a_left_out_patient_validates_and_no_other(task, folders):
    made = task("eeg", patient="chb02")
    patients = {
        split: {e.recording.patient for e in excerpts} for split, excerpts in made._splits.items()
    }
    assert patients["validation"] == {"chb02"}
    assert "chb02" not in patients["train"]
    with pytest.raises(ConfigError, match="chb77"):
        split_recordings(recordings(folders["eeg"]), "chb77")


def test_background_is_thinned_evenly_and_seizures_are_all_heard(folders):
    with_one = next(r for r in recordings(folders["eeg"]) if r.seizures)
    begin, end = with_one.seizures[0]
    quiet = [Excerpt(with_one, s, s + 0.5) for s in np.linspace(end + 1, end + 99, 50)]
    seizures = [Excerpt(with_one, begin, end)] * 2
    chosen = balanced([*quiet[:25], *seizures, *quiet[25:]])
    assert sum(e.has_seizure for e in chosen) == 2
    assert len(chosen) - 2 == 2 * BACKGROUND
    assert quiet[0] in chosen
    assert quiet[-1] in chosen


def test_what_training_leaves_out_still_counts_as_seen_by_file(task):
    made = task("eeg")
    with pytest.raises(DataError, match="not seen"):
        list(
            made.unseen(
                {file for r in made._splits.values() for e in r for file in sources_of(e)}, 9
            )
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_faulty_record_is_left_out_and_told(task, folders, name, tmp_path):
    shutil.copytree(folders[name], tmp_path, dirs_exist_ok=True)
    pattern = "**/chb01_01.edf" if name == "eeg" else "**/00001_lr.dat"
    next(tmp_path.glob(pattern)).write_bytes(b"no signal")
    made = task(name, data=str(tmp_path))
    for _ in range(12):
        made.chunk(200)
    fault = "chb01_01.edf" if name == "eeg" else "00001_lr"
    assert sum(fault in complaint for complaint in made.complaints) == 1
    assert any(fault in text for text in TASKS.load(name).inspect(str(tmp_path))["faults"])


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "place"), [("eeg", "chbmit_excerpts/chbmit"), ("ecg", "ptbxl_500/ptb-xl")]
)
def test_real_signals_are_read(data_folder, task, name, place):
    if not (data_folder / place).is_dir():
        pytest.skip(f"BIM_DATA holds no {place}")
    made = task(name, data=str(data_folder / place))
    chunk = made.chunk(400)
    assert not made.synthetic
    assert 0.01 < chunk.spikes.mean() < 0.99
    assert len(np.unique(chunk.target[chunk.mask])) == 2
