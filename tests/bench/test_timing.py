from __future__ import annotations

from bim_explorer.bench.timing import Options, Times, interleaved


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    """A disturbed round, which slows both, does not move it."""
    times = Times({"slow": [2.0, 20.0, 2.2], "fast": [1.0, 10.0, 1.0]})
    assert times.ratio("slow", "fast") == 2.0
    assert times.median("slow") == 2.2
    assert times.spread("fast") == 10.0


def test_every_piece_of_work_gets_a_sample_in_every_round():
    called: list[str] = []
    works = {name: lambda name=name: called.append(name) for name in ("a", "b")}
    times = interleaved(works, Options(repeats=3, seconds=1e-6))
    assert {name: len(rounds) for name, rounds in times.items()} == {"a": 3, "b": 3}
    assert set(called) == {"a", "b"}


def test_rounds_run_forwards_and_backwards_in_turn():
    called: list[str] = []
    works = {name: lambda name=name: called.append(name) for name in ("a", "b")}
    interleaved(works, Options(repeats=2, seconds=1e-12))
    assert called[-4:] == ["a", "b", "b", "a"]
