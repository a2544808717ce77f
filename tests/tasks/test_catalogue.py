from __future__ import annotations

import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.catalogue import DATA_SETS, data_set, file_faults, recognise


@pytest.mark.parametrize("entry", DATA_SETS, ids=lambda entry: entry.name)
def test_every_set_says_where_it_comes_from(entry):
    for text in (entry.title, entry.licence, entry.size, entry.layout):
        assert text
    assert entry.home.startswith("https://")
    for address in entry.addresses:
        assert address.url.startswith("https://")
        kind, _, digits = address.checksum.partition(":")
        assert len(digits) == {"": 0, "md5": 32, "sha256": 64}[kind]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("wikitext-103", "wikitext-103/wiki.train.tokens"),
        ("fsdd", "recordings/7_jackson_12.wav"),
        ("librispeech", "LibriSpeech/dev-clean/84/121123/84-121123.trans.txt"),
        ("chb-mit", "chbmit/chb01/chb01-summary.txt"),
        ("ptb-xl", "ptbxl_database.csv"),
        ("tinyshakespeare", "input.txt"),
        (None, "letter.txt"),
        (None, ".hidden/ptbxl_database.csv"),
    ],
)
def test_a_folder_is_recognised_by_its_layout(tmp_path, name, file):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("x")
    found = recognise(tmp_path)
    assert (found.name if found else None) == name


def test_files_that_are_empty_or_closed_are_named(tmp_path):
    (tmp_path / "good").write_text("x")
    (tmp_path / "empty").touch()
    (tmp_path / "lost").symlink_to(tmp_path / "loop")
    assert file_faults(tmp_path) == (2, [f"{tmp_path}/empty is empty."])
    assert file_faults(tmp_path / "good") == (1, [])


def test_an_unknown_set_is_named_with_the_known_ones():
    with pytest.raises(DataError, match="unknown data set 'ptbxl'; did you mean 'ptb-xl'"):
        data_set("ptbxl")


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("wikitext2", "wikitext-103"),
        ("fsdd", "fsdd"),
        ("librispeech_test_other_100", "librispeech"),
        ("chbmit_excerpts", "chb-mit"),
        ("ptbxl_500", "ptb-xl"),
        ("eegmmidb_S001R04", None),
    ],
)
def test_published_layouts_are_recognised(data_folder, folder, name):
    if not (data_folder / folder).exists():
        pytest.skip(f"BIM_DATA holds no {folder}")
    found = recognise(data_folder / folder)
    assert (found.name if found else None) == name
