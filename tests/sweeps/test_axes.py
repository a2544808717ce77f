"""Axes: what may be swept, what is drawn, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.core.errors import ConfigError
from bim_explorer.sweeps import log_uniform, uniform
from bim_explorer.sweeps.axes import Grid, axis_to_json, checked_axes, draws, parse_axis


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("balance=0,0.5,1", (0.0, 0.5, 1.0)),
        ("seed=0,1", (0, 1)),
        ("credit=exact, truncated", ("exact", "truncated")),
        ("as_printed_update=true,false", (True, False)),
        ("balance=grid:0:1:3", (0.0, 0.5, 1.0)),
        ("delay=grid:10:30:3", (10, 20, 30)),
    ],
)
def test_values_come_out_in_the_type_of_their_parameter(text, values):
    _, axis = parse_axis(text)
    assert axis == Grid(values)
    assert [type(value) for value in axis.values] == [type(value) for value in values]


def test_draws_stay_in_their_range_and_follow_from_the_seed():
    axis = checked_axes({"learning_rate": log_uniform(1e-4, 1e-1, 400)})["learning_rate"]
    drawn = np.array(draws("learning_rate", axis, seed=3))
    assert draws("learning_rate", axis, seed=3) == tuple(drawn)
    assert draws("learning_rate", axis, seed=4) != tuple(drawn)
    assert drawn.min() >= 1e-4
    assert drawn.max() <= 1e-1
    # as many in each of the three orders of magnitude
    counts, _ = np.histogram(np.log10(drawn), bins=[-4, -3, -2, -1])
    assert counts.min() > 100


def test_uniform_draws_are_even_and_whole_where_the_parameter_is():
    axis = checked_axes({"delay": uniform(10, 19, 300)})["delay"]
    drawn = draws("delay", axis, seed=0)
    assert all(isinstance(value, int) for value in drawn)
    assert (min(drawn), max(drawn)) == (10, 19)
    even = checked_axes({"balance": uniform(0, 1, 400)})["balance"]
    assert np.mean(draws("balance", even, seed=0)) == pytest.approx(0.5, abs=0.05)


def test_two_parameters_are_drawn_independently():
    axes = checked_axes({"balance": uniform(0, 1, 200), "target_sparsity": uniform(0, 0.9, 200)})
    drawn = [draws(name, axis, seed=0) for name, axis in axes.items()]
    assert abs(np.corrcoef(*drawn)[0, 1]) < 0.2


def test_an_axis_survives_json():
    axes = checked_axes({"balance": np.linspace(0, 1, 3), "learning_rate": log_uniform(1e-3, 1, 5)})
    assert checked_axes({name: axis_to_json(axis) for name, axis in axes.items()}) == axes


@pytest.mark.parametrize(
    ("axes", "complaint"),
    [
        ({"balence": [0]}, "unknown parameter 'balence'; did you mean 'balance'?"),
        ({"preset": ["text"]}, "preset is a starting point, no axis"),
        ({"balance": []}, "axis balance must have at least one value"),
        ({"balance": [0, 2]}, "balance must be ≤ 1.0, got 2"),
        ({"balance": [0, 0.0]}, "axis balance must have different values, got 0.0 twice"),
        ({"balance": 0.5}, "axis balance must be a sequence of values, got 0.5"),
        ({"credit": "exact"}, "axis credit must be a sequence of values, got 'exact'"),
        ({"credit": uniform(0, 1, 2)}, "axis credit must be a list of values"),
        ({"balance": uniform(1, 0, 2)}, "axis balance must have low < high"),
        ({"balance": uniform(0, 1, 0)}, "axis balance must have n ≥ 1 draws, got 0"),
        ({"balance": log_uniform(0, 1, 2)}, "axis balance must have low > 0"),
        ({"balance": {"normal": [0, 1, 2]}}, "axis balance must be a list, or"),
        (
            {"balance": uniform(0, 1, 2), "learning_rate": uniform(0, 1, 3)},
            "random axes are drawn together, so n must be one number",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(axes, complaint):
    with pytest.raises(ConfigError) as refusal:
        checked_axes(axes)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("text", ["balance", "balance=", "balance=log:1", "balance=log:1:2:x"])
def test_a_form_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="--axis wants"):
        parse_axis(text)
