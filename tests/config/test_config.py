"""The one flat config: bounds, names, presets, text in and out."""

from __future__ import annotations

import pytest

from bim_explorer.config import Config, preset_names, read_preset
from bim_explorer.config.config import parse_assignment
from bim_explorer.core.errors import ConfigError


def test_every_parameter_has_a_label_and_a_sentence():
    for name in Config.names():
        parameter = Config.param[name]
        assert parameter.label, name
        assert str(parameter.doc).endswith("."), name


def test_values_go_out_and_come_back():
    config = Config(preset="text", balance=0.25)
    assert Config.from_values(config.values()).values() == config.values()


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_and_says_what_to_watch(name):
    preset = read_preset(name)
    assert preset.title
    assert preset.watch.endswith(".")
    assert Config(preset=name).preset == name


def test_presets_come_in_teaching_order():
    assert preset_names()[:6] == ["recall", "stdp", "half", "prune", "as-printed", "text"]
    assert preset_names()[-1] == "continual"


def test_the_memory_of_recall_follows_the_delay_unless_it_is_set():
    assert Config(preset="recall").delta_min == pytest.approx(0.4)
    assert Config(preset="recall", delay="200").delta_min == pytest.approx(0.08)
    assert Config(preset="recall", delay=200, delta_min=0.01).delta_min == 0.01


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"balnce": 1}, "did you mean 'balance'"),
        ({"d_state": 0}, "d_state must be ≥ 1, got 0"),
        ({"balance": 1.5}, "balance must be ≤ 1"),
        ({"delay": "3.5"}, "delay must be a whole number, got '3.5'"),
        ({"delay": 0, "preset": "recall"}, "delay must be ≥ 1, got 0"),
        ({"credit": "none"}, "credit must be one of exact, truncated, local"),
        ({"regrow": "maybe"}, "regrow must be one of"),
        ({"as_printed_update": "perhaps"}, "as_printed_update must be true or false"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"delta_min": 0.9, "delta_max": 0.1}, "delta_min must be ≤ delta_max"),
        ({"code_size": 4, "code_active": 5}, "code_active must be ≤ code_size"),
        ({"preset": "recal"}, "did you mean 'recall'"),
    ],
)
def test_bad_values_get_one_clear_sentence(values, message):
    with pytest.raises(ConfigError, match=message):
        Config(**values)


def test_an_unknown_attribute_is_refused():
    config = Config()
    with pytest.raises(ConfigError, match="unknown parameter 'lrr'"):
        config.lrr = 1


def test_a_change_is_all_or_nothing():
    config = Config()
    with pytest.raises(ConfigError):
        config.change({"balance": 0.5, "delay": -1})
    assert config.balance == 1.0


def test_assignments_are_read_as_the_command_line_writes_them():
    assert parse_assignment("balance=0.5") == ("balance", 0.5)
    assert parse_assignment("as_printed_update=yes") == ("as_printed_update", True)
    assert parse_assignment(" delay = 7 ") == ("delay", 7)
    with pytest.raises(ConfigError, match="key=value"):
        parse_assignment("balance")


def test_sizes_need_a_new_network_and_rates_do_not():
    assert not Config.is_live("d_model")
    assert not Config.is_live("task")
    assert all(Config.is_live(name) for name in ("balance", "credit", "delta_min", "psp_kernel"))
