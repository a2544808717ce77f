from __future__ import annotations

import json
import signal

from bim_explorer.cli.progress import Progress
from bim_explorer.store.reader import RunReader

KEYS = [
    "task",
    "updates",
    "steps",
    "steps_per_second",
    "loss",
    "metrics",
    "sparsity",
    "firing_rate",
    "run",
]


def test_training_ends_with_one_json_object(cli, small, tmp_path):
    answer = cli("train", *small, "--updates", 12, "--seed", 3, "--json")
    assert answer.code == 0
    assert answer.err == ""
    assert list(answer.json) == KEYS
    assert answer.json["updates"] == 12
    assert answer.json["steps"] == 12 * 4 * 4
    assert 0 <= answer.json["metrics"]["accuracy"] <= 1
    run = RunReader(answer.json["run"])
    assert run.folder.parent == tmp_path / "runs"
    assert (run.values["preset"], run.values["seed"], run.values["delay"]) == ("recall", 3, 2)


def test_training_ends_with_a_table_for_people(cli, small, tmp_path):
    answer = cli("train", *small, "--seconds", 0.2, "--out", tmp_path / "mine")
    assert answer.code == 0
    assert "\naccuracy " in answer.out
    assert answer.out.endswith(f"run               {tmp_path / 'mine'}\n")


def test_a_run_can_be_trained_again_from_its_config(cli, small_run):
    again = ("train", "--config", small_run / "config.json", "--updates", 20)
    answer = cli(*again, "--json")
    assert RunReader(answer.json["run"]).metrics() == RunReader(small_run).metrics()
    other = cli(*again, "--seed", 9, "--json")
    assert RunReader(other.json["run"]).metrics() != RunReader(small_run).metrics()


def test_a_folder_in_use_is_refused(cli, small, small_run):
    answer = cli("train", *small, "--updates", 1, "--out", small_run)
    assert answer.code == 2
    assert "is not empty: a run wants a new folder" in answer.complaint


def test_ctrl_c_closes_the_run_and_prints_what_there_is(cli, small, monkeypatch):
    def interrupt(_self: Progress, done: float, _figures: object) -> None:
        if done == 15:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "tick", interrupt)
    before = signal.getsignal(signal.SIGINT)
    answer = cli("train", *small, "--updates", 10_000, "--json")
    assert answer.code == 130
    assert answer.json["updates"] == 15
    _, meta = RunReader(answer.json["run"]).checkpoint("last")
    assert json.dumps(meta)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_at_once(cli, small, monkeypatch):
    def insist(*_args: object) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("bim_explorer.training.train.train", insist)
    answer = cli("train", *small, "--json")
    assert answer.code == 130
    assert answer.complaint == "bim-explorer: interrupted.\n"


def test_learning_that_leaves_its_bounds_says_why(cli, small):
    wild = [*small, "--set", "as_printed_update=true", "--set", "optimizer=sgd"]
    answer = cli("train", *wild, "--set", "learning_rate=1", "--updates", 3000, "--json")
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.splitlines()[-1].startswith("bim-explorer: ")


def test_a_users_own_text_is_trained_on(cli, small, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("café\n" * 400, encoding="utf-8")
    text = [*small, "--set", "task=text", "--set", f"data={path}"]
    answer = cli("train", *text, "--updates", 5, "--json")
    assert answer.json["task"] == "text"
    assert answer.json["metrics"]["bits_per_character"] > 0
