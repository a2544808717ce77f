"""Numbers on plots: a small one is never "0", and an axis is calm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bim_explorer.views.plots.format import number, value_text
from bim_explorer.views.plots.ranges import CalmBound, nice_above, robust_high


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-3, "0.001"),
        (0.0123456, "0.0123"),
        (-0.5, "−0.5"),
        (61200, "61\u202f200"),
        (1234.5, "1\u202f234"),
        (1.2e-7, "1.2e−7"),
        (0, "0"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_read_well(value, text):
    assert number(value) == text


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_no_number_but_zero_is_written_as_zero(value):
    text = number(value).replace("\u202f", "").replace("−", "-")
    assert float(text) == pytest.approx(value, rel=0.01)


def test_values_of_switches_and_choices_read_well():
    assert [value_text(v) for v in (True, False, "exact", 0.003)] == ["on", "off", "exact", "0.003"]


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_nice_bound_is_near_above(value):
    assert value * (1 - 1e-9) <= nice_above(value) <= 1.34 * value


def test_bound_grows_at_once_and_shrinks_slowly():
    bound = CalmBound(0.1, patience=20)
    assert bound.fit(7.0) == 8.0
    assert [bound.fit(3.0) for _ in range(7)] == [8.0] * 7
    assert bound.fit(3.0) < 8.0
    for _ in range(100):
        bound.fit(3.0)
    assert 3.0 <= bound.value <= 5.0
    assert bound.fit(50.0) == 50.0


def test_bound_gives_way_sooner_the_wider_it_is():
    bound = CalmBound(1e-9)
    bound.fit(1.0)
    for _ in range(40):
        bound.fit(1e-3)
    assert bound.value <= 5e-3


def test_bound_forgets_how_long_it_was_loose_once_it_fits():
    bound = CalmBound(0.1, patience=4)
    bound.fit(8.0)
    assert [bound.fit(value) for value in (3.0, 7.0, 3.0, 7.0)] == [8.0] * 4


@pytest.mark.parametrize("needed", [math.nan, math.inf, -1.0, 0.0])
def test_bound_ignores_what_is_no_height(needed):
    assert CalmBound(0.1).fit(needed) == 0.1


def test_outliers_do_not_flatten_a_curve_but_news_always_shows():
    values = np.ones(1000)
    values[500] = 1e6
    assert robust_high(values) == 1.0
    values[-1] = 1e6
    assert robust_high(values) == 1e6
    assert robust_high(np.array([np.nan])) == 0.0
