from __future__ import annotations

from itertools import chain

import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.librispeech import by_split, find_utterances, read_transcript


def chapter(folder, subset, speaker, *lines):
    place = folder / "LibriSpeech" / subset / speaker / "7"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{speaker}-7.trans.txt").write_text("".join(f"{line}\n" for line in lines))
    return place / f"{speaker}-7.trans.txt"


def test_transcripts_are_read(tmp_path):
    path = chapter(tmp_path, "dev-clean", "12", "12-7-0000 SHE SAID", "12-7-0001 don't")
    first, second = find_utterances(str(tmp_path))
    assert (first.text, second.text) == ("SHE SAID", "DON'T")
    assert first.path == path.parent / "12-7-0000.flac"
    assert (first.speaker, first.subset) == ("12", "dev")


def test_published_subsets_are_the_splits(tmp_path):
    for subset, speaker in (("train-clean-100", "1"), ("dev-clean", "2"), ("test-other", "3")):
        chapter(tmp_path, subset, speaker, f"{speaker}-7-0 A")
    splits = by_split(find_utterances(str(tmp_path)))
    assert {split: [u.speaker for u in us] for split, us in splits.items()} == {
        "train": ["1"],
        "validation": ["2"],
        "test": ["3"],
    }


@pytest.mark.parametrize("speakers", [1, 2, 3, 7, 30])
def test_one_subset_is_split_by_speaker(tmp_path, speakers):
    for number in range(speakers):
        chapter(tmp_path, "test-other", str(number), f"{number}-7-0 A", f"{number}-7-1 B")
    utterances = find_utterances(str(tmp_path))
    splits = by_split(utterances)
    assert sorted(chain.from_iterable(splits.values())) == utterances
    of = [{u.speaker for u in us} for us in splits.values()]
    assert sum(map(len, of)) == speakers
    again = by_split(utterances[::-1])
    assert of == [{u.speaker for u in us} for us in again.values()]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "12-7.trans.txt is empty"),
        (b"\xff\xfe", "12-7.trans.txt is not UTF-8"),
        (b"12-7-0000 A\n12-7-0001\n", "line 2 of .*12-7.trans.txt is no utterance"),
        (b"99-7-0000 A\n", "line 1 of .*12-7.trans.txt is no utterance"),
    ],
)
def test_a_faulty_transcript_is_named(tmp_path, content, fault):
    path = chapter(tmp_path, "dev-clean", "12")
    path.write_bytes(content)
    with pytest.raises(DataError, match=fault):
        read_transcript(path)


@pytest.mark.parametrize(
    ("name", "fault"),
    [("gone", "gone does not exist"), ("file", "file is a file"), ("empty", r"no \*\.trans\.txt")],
)
def test_what_is_no_such_folder_is_named(tmp_path, name, fault):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=fault):
        find_utterances(str(tmp_path / name))
