from __future__ import annotations

from itertools import groupby, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bim_explorer.tasks.alignment import _costs, _path, _pull, align, spread

FAINT, LOUD = -9.0, -1.0
NOWHERE = np.zeros(100, bool)


def classes(text):
    return np.array([ord(character) for character in text])


def collapsed(target):
    return "".join(chr(label) for label, _ in groupby(target) if label)


def test_silence_by_hand():
    voiced = np.array([0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0], bool)
    path, a, b = np.repeat([0, 1], 4), ord("A"), ord("B")
    expected = [0, a, a, a, a, a, 0, 0, b, b, b, b, 0]
    np.testing.assert_array_equal(spread(classes("AB"), path, voiced), expected)
    expected = [0, a, a, a, a, a, 0, 0, a, a, a, a, 0]
    np.testing.assert_array_equal(spread(classes("AA"), path, voiced), expected)
    everywhere = spread(classes("AA"), np.repeat([0, 1], 3), np.ones(6, bool))
    np.testing.assert_array_equal(everywhere, [a, a, 0, a, a, a])


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_path_is_the_cheapest_of_all(seed):
    costs = np.random.default_rng(seed).random((7, 3))
    cheapest = min(
        (
            np.repeat(np.arange(3), lengths)
            for lengths in product(range(2, 6), repeat=3)
            if sum(lengths) == 7
        ),
        key=lambda path: costs[np.arange(7), path].sum(),
    )
    np.testing.assert_array_equal(_path(costs, NOWHERE[:7]), cheapest)


@settings(max_examples=30)
@given(
    text=st.text(alphabet=" 'ABLES", min_size=1, max_size=12),
    loudness=st.lists(st.floats(FAINT, LOUD, width=16), min_size=24, max_size=90),
)
def test_collapsed_targets_are_the_text(text, loudness):
    channels = np.array(loudness, np.float32)[:, None] * np.linspace(0.5, 1.5, 6, dtype=np.float32)
    target = align(text, classes(text), channels, 10.0)
    assert target is not None
    assert len(target) == len(loudness)
    assert collapsed(target) == text


def test_a_sibilant_takes_the_steps_that_hiss():
    channels = np.full((40, 6), -2.0, np.float32)
    channels[:12, :2] = -6.0
    channels[12:, -2:] = -6.0
    target = align("SO", classes("SO"), channels, 10.0)
    assert target is not None
    assert (target[:12] == ord("S")).all()
    assert (target[12:] == ord("O")).all()


def test_a_character_stays_near_its_place():
    costs = np.zeros((100, 10))
    costs[:50, 1:] = 9.0
    path = _path(costs + _pull(100, 10, 8.0), NOWHERE)
    assert (np.abs(path - np.arange(100) / 10) < 3).all()
    np.testing.assert_array_equal(_path(_pull(100, 10, 8.0), NOWHERE), np.arange(100) // 10)


def test_no_character_lasts_through_a_pause():
    channels = np.full((60, 6), LOUD, np.float32)
    channels[10:40] = FAINT
    target = align("AO", classes("AO"), channels, 10.0)
    assert target is not None
    np.testing.assert_array_equal(target, [ord("A")] * 10 + [0] * 30 + [ord("O")] * 20)
    alone = align("A", classes("A"), channels, 10.0)
    np.testing.assert_array_equal(alone, [ord("A")] * 60)


def test_too_few_steps_have_no_alignment():
    assert align("ABC", classes("ABC"), np.zeros((5, 6), np.float32), 10.0) is None
    assert align("", classes(""), np.zeros((5, 6), np.float32), 10.0) is None


def test_costs_are_those_of_each_step_and_character():
    assert _costs("SO", np.random.default_rng(0).random((9, 6)).astype(np.float32)).shape == (9, 2)
