"""The session's policy: what acts at once, what waits, what can be undone."""

from __future__ import annotations

import pytest
from fake_run import FakeRun

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.views.state import Session


@pytest.fixture
def run():
    return FakeRun()


@pytest.fixture
def session(run):
    return Session(run)


def test_live_change_reaches_the_run_at_once(session, run):
    session.change({"balance": 0.5})
    assert run.sent == [("set", {"balance": 0.5})]
    assert session.config.balance == 0.5
    assert session.pending == {}


def test_text_is_read_as_the_type_of_its_parameter(session, run):
    session.change({"learning_rate": " 1e-3"})
    assert run.sent == [("set", {"learning_rate": 1e-3})]


def test_change_to_the_same_value_is_no_change(session, run):
    session.change({"delay": session.config.delay})
    assert run.sent == []
    assert not session.can_undo


def test_change_of_a_size_waits_until_it_is_applied(session, run):
    session.change({"d_model": 32})
    assert run.sent == []
    assert session.pending == {"d_model": 32}
    session.apply()
    assert [name for name, _ in run.sent] == ["reset"]
    assert run.values["d_model"] == 32
    assert session.pending == {}
    assert session.left_behind is not None


def test_waiting_change_taken_back_no_longer_waits(session):
    before = session.config.d_model
    session.change({"d_model": 32})
    session.change({"d_model": before})
    assert session.pending == {}


def test_discard_drops_what_waits_and_keeps_live_changes(session, run):
    session.change({"d_model": 32})
    session.change({"balance": 0.2})
    session.discard()
    assert session.pending == {}
    assert session.config.balance == 0.2
    assert [name for name, _ in run.sent] == ["set"]


@pytest.mark.parametrize(
    "values",
    [{"balance": 2}, {"learning_rate": "fast"}, {"lambda": 1}, {"delta_min": 9.0}],
    ids=["range", "type", "name", "together"],
)
def test_refused_change_changes_nothing(session, run, values):
    before = session.config.values()
    with pytest.raises(ConfigError):
        session.change(values)
    assert session.config.values() == before
    assert run.sent == []
    assert not session.can_undo


def test_change_of_an_ended_run_is_refused_and_taken_back(session, run):
    run.status = "failed"
    with pytest.raises(RunError):
        session.change({"balance": 0.5})
    assert session.config.balance == 1.0


def test_undo_takes_back_one_change_after_the_other(session, run):
    session.change({"balance": 0.5})
    session.change({"a_plus": 0.7})
    session.undo()
    assert run.sent[-1] == ("set", {"a_plus": 1.0})
    session.undo()
    assert run.sent[-1] == ("set", {"balance": 1.0})
    assert not session.can_undo
    session.undo()
    assert len(run.sent) == 4


def test_undo_of_a_waiting_change_restarts_nothing(session, run):
    session.change({"d_model": 32})
    session.undo()
    assert session.pending == {}
    assert run.sent == []


def test_undo_of_a_preset_starts_the_run_before_it_anew(session, run):
    before = session.config.values()
    session.take_preset("text")
    assert run.values["task"] == "text"
    session.undo()
    assert session.config.values() == before
    assert run.values == before


def test_preset_starts_a_new_run_with_its_values(session, run):
    session.change({"balance": 0.3})
    session.take_preset("prune")
    assert run.values == Config(preset="prune").values()
    assert session.starts == 1


def test_task_keeps_the_other_values_and_leaves_the_preset(session, run):
    session.change({"balance": 0.3})
    session.take_task("text")
    assert (run.values["task"], run.values["preset"], run.values["balance"]) == ("text", "", 0.3)


def test_unknown_preset_is_refused(session, run):
    with pytest.raises(ConfigError):
        session.take_preset("nope")
    assert run.sent == []


def test_reset_keeps_seed_and_values_and_what_waits(session, run):
    session.change({"balance": 0.3})
    session.change({"d_model": 32})
    session.reset()
    assert run.values["balance"] == 0.3
    assert run.values["d_model"] == 64
    assert session.pending == {"d_model": 32}


def test_toggle_pauses_and_resumes(session, run):
    session.toggle()
    session.toggle()
    assert [name for name, _ in run.sent] == ["pause", "resume"]


def test_speed_is_told_in_updates_a_second_and_kept_by_a_new_page(session, run):
    session.speed = "10 / s"
    assert run.sent == [("speed", 10.0)]
    assert Session(run).speed == "10 / s"


def test_another_pages_change_is_followed(session, run):
    run.set({"balance": 0.1})
    session.sync()
    assert session.config.balance == 0.1
    assert not session.can_undo


def test_another_pages_restart_is_followed_and_own_waiting_change_kept(session, run):
    session.change({"d_state": 4})
    run.reset({"d_model": 16})
    session.sync()
    assert session.config.d_model == 16
    assert session.pending == {"d_state": 4}
    assert session.starts == 1


def test_joining_takes_the_runs_live_values_and_lets_sizes_wait():
    run = FakeRun(Config(preset="recall", balance=0.7))
    session = Session(run, Config(preset="recall", balance=0.2, d_model=16).values())
    assert session.config.balance == 0.7
    assert session.pending == {"d_model": 16}
    assert run.sent == []
