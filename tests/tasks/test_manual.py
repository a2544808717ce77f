from __future__ import annotations

import platform
import sys

import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks import manual


def test_a_paragraph_stays_only_in_the_shortest_topic():
    topics = {
        "compound": "if so\n\nwhile so\n\n\nelse",
        "if": "if so\n\nnew",
        "while": "\nwhile so",
    }
    assert manual.without_repeats(topics) == {
        "compound": "else\n\n",
        "if": "if so\n\nnew\n\n",
        "while": "while so\n\n",
    }


def test_topics_are_split_whole_and_in_the_order_of_their_names():
    topics = {f"topic {i:02}": f"<{i:02}>" for i in range(40)}
    parts = manual.split_topics(topics)
    assert {part: len(text) for part, text in parts.items()} == {
        "train": 128,
        "validation": 16,
        "test": 16,
    }
    assert sorted("".join(parts.values())) == sorted("".join(topics.values()))
    for text in parts.values():
        found = [text[i : i + 4] for i in range(0, len(text), 4)]
        assert found == sorted(found)


def test_a_topic_too_long_to_hold_out_is_trained_on():
    parts = manual.split_topics({"long": "x" * 91, "short": "y" * 9})
    assert parts["train"] == "x" * 91


def test_a_tenth_of_the_manual_is_held_out_each_time():
    parts = manual.parts()
    whole = sum(map(len, parts.values()))
    assert whole > 300_000
    for part in ("validation", "test"):
        assert 0.08 < len(parts[part]) / whole <= 0.1


def test_held_out_text_of_the_manual_is_not_trained_on():
    width = 100
    parts = manual.parts()
    trained = {parts["train"][i : i + width] for i in range(len(parts["train"]) - width + 1)}
    for part in ("validation", "test"):
        windows = [parts[part][i : i + width] for i in range(len(parts[part]) - width + 1)]
        assert sum(window in trained for window in windows) / len(windows) < 0.002


def test_the_manual_names_its_python():
    assert platform.python_version() in manual.PROVENANCE


def test_a_python_without_its_documentation_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(DataError, match="set data to a UTF-8 text file"):
        manual.parts()
