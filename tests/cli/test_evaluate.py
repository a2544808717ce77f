from __future__ import annotations

import json
import shutil

import pytest
from safetensors.numpy import save

from bim_explorer.store.paths import RunFolder
from bim_explorer.store.reader import RunReader
from bim_explorer.store.writer import META_KEY


@pytest.mark.parametrize("split", [None, "validation"])
def test_a_run_is_scored_on_held_out_data(cli, small_run, split):
    words = ["--split", split] if split else []
    answer = cli("evaluate", small_run, *words, "--json")
    assert answer.code == 0
    assert set(answer.json) == {"task", "metrics", "n"}
    assert answer.json["task"] == "delayed-recall"
    assert 0 <= answer.json["metrics"]["accuracy"] <= 1
    assert answer.json["n"] > 0


def test_a_run_is_found_by_its_name(cli, small_run, monkeypatch):
    monkeypatch.setenv("BIM_RUNS", str(small_run.parent))
    answer = cli("evaluate", small_run.name)
    assert answer.code == 0
    assert answer.out.startswith("task      delayed-recall\naccuracy  ")


def test_what_cannot_be_evaluated_is_one_line(cli, small_run, tmp_path):
    for words, complaint in (
        ([small_run, "--split", "train"], "unknown split 'train'"),
        ([tmp_path], "is no run folder: it has no config.json"),
    ):
        answer = cli("evaluate", *words)
        assert answer.code == 2
        assert complaint in answer.complaint


def test_a_text_network_is_evaluated_on_another_text(cli, small, tmp_path):
    mine, other = tmp_path / "mine.txt", tmp_path / "other.txt"
    mine.write_text("abcdef\n" * 400, encoding="utf-8")
    other.write_text("xyz abc\n" * 400, encoding="utf-8")
    text = [*small, "--set", "task=text", "--set", f"data={mine}", "--updates", 20, "--json"]
    run = cli("train", *text).json["run"]
    own = cli("evaluate", run, "--json").json["metrics"]["bits_per_character"]
    answer = cli("evaluate", run, "--data", other, "--json")
    assert answer.json["metrics"]["bits_per_character"] > own


def test_a_run_from_before_a_parameter_existed_has_its_default(cli, small_run, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(small_run, old)
    config = json.loads((old / "config.json").read_text(encoding="utf-8"))
    del config["values"]["cooling"]
    (old / "config.json").write_text(json.dumps(config), encoding="utf-8")
    arrays, facts = RunReader(old).checkpoint("best")
    del facts["experiment"]["values"]["cooling"]
    best = RunFolder(old).checkpoint("best")
    best.write_bytes(save(arrays, metadata={META_KEY: json.dumps(facts)}))
    assert cli("evaluate", old, "--json").json == cli("evaluate", small_run, "--json").json
