"""`bim-explorer sweep`: the plan, the sweep, its file, and what it refuses."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from here_crew import HereCrew

from bim_explorer.sweeps import crew as crews
from bim_explorer.sweeps import open_sweep
from bim_explorer.sweeps import sweep as sweeping

AXES = ["--axis", "balance=0,1", "--axis", "seed=0,1"]
KEYS = ["runs", "failed", "dataset", "seconds"]


@pytest.fixture
def here(monkeypatch):
    """Runs are done in this process, by the workers that are gathered here."""
    crews = []

    def make(workers, scheduler):
        crews.append(HereCrew())
        return nullcontext(crews[-1])

    monkeypatch.setattr(sweeping, "crew", make)
    return crews


def test_a_sweep_ends_with_one_json_object_and_goes_on_with_its_folder(cli, small, here, tmp_path):
    words = ("sweep", *small, *AXES, "--updates", 20, "--out", tmp_path / "study", "--json")
    answer = cli(*words)
    assert answer.code == 0
    assert list(answer.json) == KEYS
    assert (answer.json["runs"], answer.json["failed"]) == (4, 0)
    assert Path(answer.json["dataset"]) == tmp_path / "study" / "dataset.nc"
    assert dict(open_sweep(tmp_path / "study").dataset.sizes) == {
        "balance": 2,
        "seed": 2,
        "update": 2,
    }
    assert cli(*words).json["runs"] == 4
    assert [sum(crew.did.values()) for crew in here] == [4, 0]


def test_a_sweep_ends_with_a_table_for_people(cli, small, here, tmp_path):
    answer = cli("sweep", *small, *AXES, "--updates", 10)
    assert answer.code == 0
    assert answer.out.startswith("balance  seed  status")
    assert "\nfailed   0\n" in answer.out
    assert list((tmp_path / "runs").glob("*-sweep-recall/dataset.nc"))


def test_a_file_says_what_options_say(cli, small, here, tmp_path):
    options = ("sweep", *small, *AXES, "--updates", 10, "--json")
    by_options = open_sweep(Path(cli(*options).json["dataset"]).parent)
    path = tmp_path / "study.json"
    path.write_text(json.dumps(by_options.plan.to_json()))
    by_file = open_sweep(Path(cli("sweep", path, "--json").json["dataset"]).parent)
    assert by_file.dataset.final_loss.equals(by_options.dataset.final_loss)
    set_too = cli("sweep", path, "--set", "delay=3", "--json")
    other = open_sweep(Path(set_too.json["dataset"]).parent)
    assert other.plan.base.delay == 3
    assert other.plan.sizes == by_file.plan.sizes


def test_runs_that_fail_are_told_and_make_the_exit_code(cli, small, here, tmp_path):
    text = [*small, "--set", "task=text", "--axis", f"data=,{tmp_path / 'gone.txt'}"]
    answer = cli("sweep", *text, "--updates", 10, "--json")
    assert answer.code == 1
    assert (answer.json["runs"], answer.json["failed"]) == (2, 1)
    people = cli("sweep", *text, "--updates", 10)
    assert "gone.txt does not exist" in people.out


def test_a_plan_is_only_shown(cli, small, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "bim_explorer.sweeps.estimate._seconds", lambda plan, index, hands: 2.0 + index
    )
    words = ("sweep", *small, *AXES, "--updates", 10, "--plan", "--workers", 2)
    answer = cli(*words)
    assert answer.out.splitlines()[0] == "4 runs = balance (2) × seed (2), 10 updates each"
    assert answer.out.splitlines()[-1] == "about 3.7 s a run, 7.3 s in all with 2 workers"
    told = cli(*words, "--json").json
    assert told["axes"] == {"balance": [0.0, 1.0], "seed": [0, 1]}
    assert told["runs"] == 4
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--axis balance", "--axis wants name=v1,v2,…"),
        ("--axis balence=1", "unknown parameter 'balence'; did you mean 'balance'?"),
        ("--axis balance=2", "balance must be ≤ 1.0, got 2"),
        ("--axis balance=log:1:2", "--axis wants balance=log:low:high:n"),
        ("--axis balance=0,0", "axis balance must have different values"),
        ("gone.toml", "gone.toml cannot be read: No such file"),
        ("gone.toml --preset recall", "a sweep FILE names its own preset"),
        ("--workers 0", "argument --workers: must be a whole number ≥ 1, got 0"),
        ("--workers 2 --scheduler x", "--scheduler: not allowed with argument --workers"),
        ("--search optuna", "--search and --trials come together"),
        ("--scheduler tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, words, complaint, monkeypatch):
    if "tcp:" in words:
        pytest.importorskip("distributed")
        monkeypatch.setattr(crews, "PATIENCE", "1s")
    answer = cli("sweep", *words.split(), "--updates", 1)
    assert answer.code == 2
    assert complaint in answer.complaint


def test_a_folder_of_another_sweep_is_refused(cli, small, here, tmp_path):
    words = ("sweep", *small, "--updates", 10, "--out", tmp_path / "study", "--json")
    assert cli(*words, "--axis", "seed=0").code == 0
    answer = cli(*words, "--axis", "seed=0,1")
    assert answer.code == 2
    assert "holds another sweep, which differs in axes" in answer.complaint


def test_a_missing_package_is_one_line_with_its_remedy(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    answer = cli("sweep", "--scheduler", "tcp://x:1", "--updates", 1)
    assert answer.code == 2
    assert "python -m pip install 'bim-explorer[sweeps]'" in answer.complaint
