from __future__ import annotations


def test_one_block_is_exact_through_short_chunks(cli, small):
    words = [*small, "--chunk", 3, "--steps", 20, "--dtype", "float64"]
    answer = cli("audit", *words, "--json")
    assert answer.code == 0
    assert set(answer.json) == {"groups", "whole"}
    for figures in (*answer.json["groups"].values(), answer.json["whole"]):
        assert set(figures) == {"cosine", "relative_error", "truncated_cosine"}
        assert figures["relative_error"] < 1e-10
    assert answer.json["whole"]["truncated_cosine"] < 0.999


def test_a_table_has_a_line_for_each_group(cli, small):
    answer = cli("audit", *small, "--steps", 8)
    lines = answer.out.splitlines()
    assert lines[0].split() == ["group", "cosine", "relative", "error", "truncated", "cosine"]
    assert lines[1].startswith("block0.W ")
    assert lines[-1].startswith("whole ")
