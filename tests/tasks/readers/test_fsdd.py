from __future__ import annotations

import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.fsdd import by_split, find_recordings


def fill(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_names_are_read_and_strangers_left_out(tmp_path):
    fill(tmp_path, "7_jackson_32.wav", "0_two_names_4.WAV", "README.md", "17_jackson_1.wav")
    first, second = find_recordings(str(tmp_path))
    assert (first.digit, first.speaker, first.index) == (0, "two_names", 4)
    assert (second.digit, second.speaker, second.index) == (7, "jackson", 32)


def test_the_folder_above_will_do(tmp_path):
    fill(tmp_path / "recordings", "7_jackson_32.wav")
    assert find_recordings(str(tmp_path)) == find_recordings(str(tmp_path / "recordings"))


def test_recordings_are_split_by_index_and_none_is_in_two_splits(tmp_path):
    fill(tmp_path, *(f"{d}_{s}_{i}.wav" for d in (1, 2) for s in "ab" for i in range(50)))
    splits = by_split(find_recordings(str(tmp_path)))
    indices = {split: {r.index for r in recordings} for split, recordings in splits.items()}
    assert indices == {"test": {*range(5)}, "validation": {5, 6, 7}, "train": {*range(8, 50)}}
    assert sum(map(len, splits.values())) == 200


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("gone", "gone does not exist"),
        ("file", "file is a file"),
        ("empty", "empty holds no spoken digits"),
    ],
)
def test_what_is_no_such_folder_is_named(tmp_path, name, fault):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=rf"{fault}.*7_name_32\.wav"):
        find_recordings(str(tmp_path / name))


@pytest.mark.data
def test_the_real_folder_is_read(data_folder):
    folder = data_folder / "fsdd"
    if not folder.is_dir():
        pytest.skip("BIM_DATA holds no fsdd")
    recordings = find_recordings(str(folder))
    assert len({recording.speaker for recording in recordings}) == 6
    assert all(by_split(recordings)[split] for split in ("train", "validation"))
