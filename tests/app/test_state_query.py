"""The address: parameters in, changed parameters out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bim_explorer.config import Config, preset_names
from bim_explorer.views.query import changed_values, read_query, write_query

BASE = Config(preset="recall")


def test_preset_and_values_are_read():
    config, run_id, complaints = read_query("?preset=text&balance=0.5&run=ab12&theme=dark", BASE)
    assert (config.task, config.balance, run_id, complaints) == ("text", 0.5, "ab12", [])


def test_without_a_preset_the_base_is_changed():
    config, _, _ = read_query("?learning_rate=1e-4", Config(preset="half"))
    assert (config.preset, config.balance, config.learning_rate) == ("half", 0.5, 1e-4)


def test_every_bad_part_is_named_and_ignored():
    config, _, complaints = read_query("?preset=nope&balance=7&lrr=1&delay=20&seed=x", BASE)
    assert config.values() == {**BASE.values(), "delay": 20}
    assert len(complaints) == 4
    for word in ("nope", "balance", "lrr", "seed"):
        assert any(word in complaint for complaint in complaints)


def test_values_that_only_fit_together_are_read_together():
    config, _, complaints = read_query("?delta_min=0.6&delta_max=0.8", BASE)
    assert (config.delta_min, config.delta_max, complaints) == (0.6, 0.8, [])


def test_only_what_differs_from_the_preset_is_written():
    config = Config(preset="half", learning_rate=1e-3)
    assert changed_values(config.values()) == {"preset": "half", "learning_rate": 1e-3}
    assert write_query(config.values()) == "?preset=half&learning_rate=0.001"


def test_run_and_look_stand_in_the_query():
    assert write_query(BASE.values(), "ab12", dark=True) == "?preset=recall&run=ab12&theme=dark"


@given(
    preset=st.sampled_from(["", *preset_names()]),
    rate=st.floats(0, 1),
    chunk=st.integers(1, 512),
    printed=st.booleans(),
    credit=st.sampled_from(["exact", "truncated", "local"]),
    data=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
)
def test_what_is_written_is_read_back(preset, rate, chunk, printed, credit, data):
    config = Config(
        preset=preset,
        learning_rate=rate,
        chunk=chunk,
        as_printed_update=printed,
        credit=credit,
        data=data,
    )
    read, _, complaints = read_query(write_query(config.values()), BASE)
    assert read.values() == config.values()
    assert complaints == []
