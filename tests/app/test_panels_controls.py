"""The controls: what the browser is told of every parameter, and what comes back."""

from __future__ import annotations

import math

import pytest
from fake_run import FakeRun

from bim_explorer.config import Config
from bim_explorer.views.panels.controls import ON_TOP, Controls, describe_control
from bim_explorer.views.panels.scales import scale_of
from bim_explorer.views.state import Session


@pytest.fixture
def run():
    return FakeRun()


@pytest.fixture
def controls(run):
    return Controls(Session(run))


def test_every_parameter_has_one_control_in_the_order_of_the_config(controls):
    drawn = [control["name"] for card in controls.sections for control in card["controls"]]
    assert drawn == [name for name in Config.names() if name not in ON_TOP]
    assert [card["title"] for card in controls.sections] == [t for t, _ in Config.sections()]


@pytest.mark.parametrize("name", [name for name in Config.names() if name not in ON_TOP])
def test_control_has_label_explanation_and_kind(name):
    control = describe_control(name)
    assert control["label"]
    assert control["doc"].endswith(".")
    assert control["live"] == Config.is_live(name)
    kinds = {bool: "switch", float: "number", str: ("choice", "text"), int: ("integer", "number")}
    assert control["kind"] in kinds[type(getattr(Config(), name))]


@pytest.mark.parametrize(
    ("name", "log"),
    [("learning_rate", True), ("delta_min", True), ("w_max", True), ("balance", False)],
)
def test_wide_ranges_lie_on_logarithmic_sliders(name, log):
    assert describe_control(name)["log"] is log


@pytest.mark.parametrize(
    "name", [n for n in Config.names() if describe_control(n)["kind"] == "number"]
)
def test_slider_reaches_its_default_within_its_ends(name):
    scale, value = scale_of(Config.param[name]), Config.param[name].default
    assert scale["low"] <= value <= scale["high"]
    width = math.log10(scale["high"] / scale["low"]) if scale["log"] else scale["high"]
    assert 20 <= width / scale["step"] <= 1000


def test_entered_value_reaches_the_run_and_comes_back(controls, run):
    controls._handle_msg({"name": "learning_rate", "value": "1e-3"})
    assert run.sent == [("set", {"learning_rate": 1e-3})]
    assert controls.values["learning_rate"] == 1e-3


def test_refused_value_leaves_the_shown_one(controls, run):
    before = dict(controls.values)
    controls._handle_msg({"name": "balance", "value": "7"})
    assert run.sent == []
    assert controls.values == before


def test_size_is_marked_as_pending(controls):
    controls._handle_msg({"name": "d_model", "value": 32})
    assert controls.pending == ["d_model"]
    assert controls.values["d_model"] == 32
