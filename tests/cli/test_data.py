from __future__ import annotations

from dataclasses import replace

import pytest
from downloads import served

from bim_explorer.tasks import catalogue
from bim_explorer.tasks.catalogue import Address, data_set


@pytest.mark.parametrize("action", [[], ["list"]])
def test_every_task_says_where_its_data_comes_from(cli, action):
    entries = {entry["task"]: entry for entry in cli("data", *action, "--json").json["data"]}
    assert entries["delayed-recall"]["synthetic"]
    assert "Python" in entries["text"]["source"]
    assert "WikiText" in entries["text"]["reads"]
    assert "\nsynthetic  True\n" in cli("data", *action).out


def test_a_readable_text_is_counted(cli, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("abcdefghi\n" * 100, encoding="utf-8")
    answer = cli("data", "check", path, "--json")
    assert answer.json == {
        "readable": True,
        "name": str(path),
        "characters": {"train": 800, "validation": 100, "test": 100},
        "kinds": 10,
    }
    lines = cli("data", "check", path).out.splitlines()
    assert lines[0] == f"{path} is readable as text; 10 kinds of characters."
    assert lines[2].split() == ["train", "800"]


def test_an_unreadable_text_is_one_line(cli, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"abc\xff")
    answer = cli("data", "check", path, "--json")
    assert answer.code == 2
    assert "byte 0xff at offset 3" in answer.complaint


def test_known_sets_come_with_home_page_licence_and_size(cli):
    sets = {entry["name"]: entry for entry in cli("data", "list", "--json").json["sets"]}
    assert {"wikitext-103", "librispeech", "fsdd", "chb-mit", "ptb-xl"} <= sets.keys()
    assert sets["ptb-xl"]["licence"].startswith("CC BY 4.0")
    assert "physionet" in sets["chb-mit"]["home"]


def test_a_folder_of_no_known_layout_is_one_line(cli, tmp_path):
    (tmp_path / "letter.doc").write_text("x")
    answer = cli("data", "check", tmp_path)
    assert answer.code == 2
    assert "the layout of no data set that is known" in answer.complaint


def test_files_that_cannot_be_used_are_listed_with_exit_code_1(cli, tmp_path):
    (tmp_path / "0_theo_0.wav").touch()
    answer = cli("data", "check", tmp_path, "--json")
    assert answer.code == 1
    assert answer.json["set"] == "fsdd"
    assert not answer.json["readable"]
    assert any("0_theo_0.wav" in fault for fault in answer.json["faults"])
    assert answer.err.count("\n") == 1


class Maker:
    """A task that can write a set."""

    @classmethod
    def make(cls, folder, seed):
        (folder / "a.txt").write_text("x" * seed)


def test_a_synthetic_set_is_written_into_a_new_folder(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("bim_explorer.tasks.TASKS.load", lambda name: Maker)
    folder = tmp_path / "made"
    answer = cli("data", "make", "eeg", folder, "--seed", "3", "--json")
    assert answer.json == {
        "task": "eeg",
        "folder": str(folder),
        "seed": 3,
        "files": 1,
        "bytes": 3,
    }
    again = cli("data", "make", "eeg", folder)
    assert again.code == 2
    assert "is not empty: give a new folder" in again.complaint


def test_a_task_without_a_synthetic_set_says_so(cli, tmp_path):
    answer = cli("data", "make", "delayed-recall", tmp_path / "made")
    assert answer.code == 2
    assert "delayed-recall has no synthetic set to write" in answer.complaint
    assert not (tmp_path / "made").exists()


def test_a_set_is_fetched_into_the_folder_of_data(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("BIM_DATA", str(tmp_path))
    with served({"/input.txt": b"To be"}) as shelf:
        entry = replace(data_set("fsdd"), addresses=(Address(f"{shelf.url}/input.txt"),))
        monkeypatch.setattr(catalogue, "DATA_SETS", (entry,))
        answer = cli("data", "fetch", "fsdd", "--json")
    assert answer.json["folder"] == str(tmp_path / "fsdd")
    assert answer.json["fetched"] == 1
    assert (tmp_path / "fsdd" / "input.txt").read_text() == "To be"


def test_without_a_network_fetching_is_one_line(cli, tmp_path, monkeypatch):
    entry = replace(data_set("fsdd"), addresses=(Address("http://127.0.0.1:9/x.zip"),))
    monkeypatch.setattr(catalogue, "DATA_SETS", (entry,))
    answer = cli("data", "fetch", "fsdd", tmp_path)
    assert answer.code == 2
    assert "127.0.0.1:9 cannot be reached" in answer.complaint
