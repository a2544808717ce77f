"""The command on its smallest sizes: what it prints, never how fast it was."""

from __future__ import annotations

import math

import pytest

from bim_explorer.bench.checkout import program
from bim_explorer.core.errors import DataError

QUICK = ["--tiny", "--repeats", 2, "--seconds", 1e-4]
RATIOS = {
    "engine": {
        "exact_vs_autograd_truncated",
        "truncated_vs_autograd_truncated",
        "influence_vs_bare_product",
        "exact_vs_product_plus_truncated",
    },
    "step": {"fused_step_vs_torch_step"},
    "event": {"event_vs_dense_at_5_percent"},
    "stdp": {"stdp_vs_in_place_torch", "stdp_vs_in_place_torch_32"},
    "memory": {"memory_1e6_vs_1e3"},
    "fidelity": {"exact_cosine_one_block_K1", "truncated_cosine_one_block_K1"},
    "scaling": {f"exact_growth_{axis}" for axis in ("N", "S", "B", "K", "rate", "T")},
    "pruning": {"all_vs_living_at_90_percent", "all_vs_living_at_90_percent_synapses"},
    "roofline": {"influence_vs_bound", "exact_update_vs_bound"},
}


@pytest.mark.parametrize("name", RATIOS)
def test_json_keeps_the_contract(cli, name):
    answer = cli("bench", name, *QUICK, "--json")
    assert answer.code == 0, answer.err
    found = answer.json
    assert set(found) == {"name", "machine", "rows", "ratios"}
    assert found["name"] == name
    assert found["machine"]["threads"] == 1
    assert {"cpu", "cores", "clock", "python", "torch", "numba", "date"} <= set(found["machine"])
    assert found["rows"]
    assert RATIOS[name] <= set(found["ratios"])
    assert all(math.isfinite(ratio) for ratio in found["ratios"].values())


def test_fidelity_finds_exact_credit_exact_and_truncated_credit_not(cli):
    ratios = cli("bench", "fidelity", *QUICK, "--json").json["ratios"]
    assert ratios["exact_cosine_one_block_K1"] > 1 - 1e-5
    assert ratios["truncated_cosine_one_block_K1"] < 0.999


def test_people_get_a_table_with_the_machine_above_it(cli):
    lines = cli("bench", "engine", *QUICK).out.splitlines()
    assert lines[0].startswith("**engine** · ")
    assert "1 thread(s)" in lines[0]
    assert lines[2].startswith("| work | S | ms |")
    assert "| ratio | value |" in lines


def test_progress_goes_to_stderr(cli):
    assert "round 2 of 2" in cli("bench", "engine", *QUICK, "--json").err


def test_an_unknown_benchmark_lists_the_known_ones(cli):
    answer = cli("bench", "engin")
    assert answer.code == 2
    assert "unknown benchmark 'engin'; did you mean 'engine'?" in answer.complaint


def test_a_program_of_the_checkout_is_found_or_missed_by_name(tmp_path, monkeypatch):
    assert program("page.py").is_file()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"benchmarks/gone.py is not here: run this from a check"):
        program("gone.py")
