from __future__ import annotations

import io
import json

import pytest

from bim_explorer.cli import progress
from bim_explorer.cli.output import emit, facts, shown, table
from bim_explorer.cli.progress import Progress


def test_json_is_one_line_and_knows_no_nan(capsys):
    emit({"a": float("nan"), "b": {"c": [float("inf"), 1.5]}, "d": "é"}, True, ["unused"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": None, "b": {"c": [None, 1.5]}, "d": "é"}


def test_lines_are_for_people(capsys):
    emit({"a": 1}, False, ["one", "two"])
    assert capsys.readouterr().out == "one\ntwo\n"


def test_facts_are_flat_and_aligned():
    assert facts({"task": "text", "metrics": {"accuracy": 0.5}}) == [
        "task      text",
        "accuracy  0.5",
    ]


def test_numbers_stand_at_the_right():
    assert table(["name", "n"], [["long name", 5], ["x", 12345], ["y", None]]) == [
        "name            n",
        "long name       5",
        "x          12,345",
        "y               –",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.001, "0.001"),
        (1.23456e-8, "1.235e-08"),
        (12345.6, "12,346"),
        (float("inf"), "inf"),
        (True, "True"),
        ("", "–"),
    ],
)
def test_small_numbers_show_as_what_they_are(value, text):
    assert shown(value) == text


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_away_from_a_terminal_a_line_comes_every_ten_seconds(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with Progress("updates", 100) as line:
        for second in range(25):
            now = float(second)
            line.tick(second, lambda: {"loss": 0.5, "accuracy": None})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "10 of 100 updates, loss 0.5, accuracy –\n20 of 100 updates, loss 0.5, accuracy –\n"
    )


def test_on_a_terminal_one_line_lives(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(progress.sys, "stderr", screen)
    monkeypatch.setattr(progress, "LIVE_SECONDS", 0.0)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    with Progress("s", 3.0) as line:
        line.tick(1.0, lambda: {"loss": 0.25})
        line.tick(4.0)
    text = screen.getvalue()
    assert "1/3 s, loss 0.25" in text
    assert "3/3 s" in text
    assert text.count("\n") == 1


def test_figures_are_asked_for_only_when_shown(capsys):
    def unasked():
        raise AssertionError

    with Progress("steps") as line:
        line.tick(1, unasked)
    assert capsys.readouterr().err == ""
