"""Plans: which runs there are, in which order, and what a file or a folder says of them."""

from __future__ import annotations

import json

import pytest
from small_sweep import small_config, small_plan

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.sweeps import Plan, log_uniform, uniform
from bim_explorer.sweeps.plan import explicit_values

STUDY = """
title = "balance against rate"
preset = "recall"
updates = 30

[set]
delay = 12

[axes]
balance = [0.0, 0.5]
seed = [0, 1, 2]
learning_rate = { log_uniform = [1e-4, 1e-1, 4] }
"""


def test_grids_are_crossed_and_draws_taken_together():
    axes = {"balance": [0, 1], "delay": uniform(2, 9, 3), "learning_rate": log_uniform(1e-4, 1, 3)}
    plan = Plan("recall", axes, updates=10)
    assert len(plan) == 2 * 3
    assert plan.sizes == {"balance": 2, "draw": 3}
    pairs = {(c.changes["delay"], c.changes["learning_rate"]) for c in plan.cells}
    assert len(pairs) == 3
    dimension, rates = plan.coordinates()["learning_rate"]
    assert dimension == "draw"
    assert {rate for _, rate in pairs} == set(rates)


def test_a_plan_without_axes_is_one_run():
    plan = Plan("recall", updates=5)
    assert [cell.changes for cell in plan.cells] == [{}]
    assert plan.describe(probe=False) == "1 run, 5 updates each"


def test_all_values_are_seen_before_the_next_seed():
    plan = small_plan({"seed": [5, 6], "balance": [0.0, 1.0]})
    order = [(cell.changes["seed"], cell.changes["balance"]) for cell in plan.turn]
    assert order == [(5, 0.0), (5, 1.0), (6, 0.0), (6, 1.0)]
    assert [cell.index for cell in plan.cells] == [0, 1, 2, 3]


def test_what_a_preset_derives_follows_an_axis():
    plan = Plan("recall", {"delay": [40, 80]}, updates=1)
    derived = [plan.config(cell.changes).delta_min for cell in plan.cells]
    assert derived == [Config(preset="recall", delay=d).delta_min for d in (40, 80)]
    held = Plan(Config(preset="recall", delta_min=0.3), {"delay": [40, 80]}, updates=1)
    assert [held.config(cell.changes).delta_min for cell in held.cells] == [0.3, 0.3]


@pytest.mark.parametrize(
    "config",
    [Config(), Config(delay=7), Config(preset="text"), small_config(seed=4), small_config(delay=9)],
)
def test_what_was_given_makes_the_same_config(config):
    assert Config(**explicit_values(config)).values() == config.values()


def test_a_run_computes_with_one_thread_unless_told():
    assert Plan(Config(), updates=1).base.threads == 1
    assert Plan(Config(threads=3), updates=1).base.threads == 3
    assert Config().threads == 0
    assert Plan(Config(), {"threads": [1, 2]}, updates=1).base.threads == 0


def test_files_say_what_python_says(tmp_path):
    toml, plain = tmp_path / "study.toml", tmp_path / "study.json"
    toml.write_text(STUDY, encoding="utf-8")
    axes = {"balance": [0.0, 0.5], "seed": [0, 1, 2], "learning_rate": log_uniform(1e-4, 0.1, 4)}
    plan = Plan(Config(preset="recall", delay=12), axes, updates=30)
    assert Plan(toml).to_json() == plan.to_json()
    plain.write_text(json.dumps(plan.to_json()), encoding="utf-8")
    assert Plan(plain).to_json() == plan.to_json()
    assert Plan(str(toml)).cells == plan.cells


def test_what_is_given_beside_a_file_wins(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    plan = Plan(path, {"seed": [9]}, updates=7)
    assert (plan.updates, plan.sizes["seed"], plan.sizes["balance"]) == (7, 1, 2)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.toml", "preset = ", "is no TOML"),
        ("a.json", "[1]", "must hold an object"),
        ("a.json", "{", "is no JSON"),
        ("a.toml", "updtes = 3", "unknown key 'updtes'; did you mean 'updates'?"),
        ("a.toml", "axes = 3", "axes must hold names and values, got 3"),
        ("a.toml", "preset = 'recal'", "unknown preset 'recal'"),
        ("a.toml", "format = 9", "format must be 1, got 9"),
        ("a.toml", "preset = 'text'\n[values]\ndelay = 3", "values stand for themselves"),
        ("a.toml", "updates = 0", "updates must be > 0, got 0"),
        ("a.toml", "updates = 2.5", "updates must be a whole number"),
        ("a.toml", "[axes]\nbalance = [3]", "balance must be ≤ 1.0, got 3"),
        ("a.toml", "[axes]\ndelta_min = [1.0]", "delta_min must be ≤ delta_max"),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path, name, content, complaint):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        Plan(tmp_path / name)
    assert complaint in str(refusal.value)


def test_a_name_that_is_neither_preset_nor_file_says_so():
    with pytest.raises(ConfigError, match=r"gone cannot be read.* no preset has that name"):
        Plan("gone")


def test_the_description_names_axes_and_draws():
    text = small_plan().describe(probe=False)
    assert text.splitlines()[0] == "4 runs = balance (2) × seed (2), 20 updates each"
    assert "  balance  0, 1" in text
    drawn = small_plan({"learning_rate": uniform(0, 1, 3), "balance": uniform(0, 1, 3)})
    assert drawn.size == "3 runs = learning_rate & balance (3), 20 updates each"
