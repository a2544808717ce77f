"""Figures, notices, transport and the rest of the page's parts."""

from __future__ import annotations

import pytest
from fake_run import FakeRun

from bim_explorer.config import Config, preset_names
from bim_explorer.store.snapshot import Mark
from bim_explorer.views.panels.figures import cards, status
from bim_explorer.views.panels.notices import Notices, notices
from bim_explorer.views.panels.starters import Starters, about
from bim_explorer.views.panels.transport import Transport
from bim_explorer.views.panels.waiting import Waiting, waiting_text
from bim_explorer.views.state import Session


def texts(marks=(), sparsity=None, **values):
    said = notices(Config(**values).values(), marks, sparsity)
    return " ".join(notice.text for notice in said)


def test_small_figures_are_shown_as_what_they_are():
    html = cards(Config(learning_rate=1e-5).values(), {"loss": 1.25e-4}, 61_200)
    assert "0.000125" in html
    assert "η 1e−5" in html
    assert "61\u202f200" in html


def test_unknown_figures_are_dashes():
    assert cards(Config().values(), {}, 0).count("–") >= 5


def test_figures_show_validation_target_and_rate_in_hertz():
    figures = {"metric": 0.914, "validation": 0.9, "sparsity": 0.786, "firing_rate": 0.0062}
    html = cards(Config(target_sparsity=0.8).values(), figures, 1)
    for shown in ("91.4 %", "validation 90.0 %", "78.6 %", "target 80.0 %", "6.2 Hz"):
        assert shown in html


def test_text_is_judged_by_bits_per_character():
    html = cards(Config(preset="text").values(), {"metric": 2.53, "validation": 2.61}, 1)
    assert "bits per character" in html
    assert "validation 2.61" in html


@pytest.mark.parametrize("state", ["running", "paused", "restarting", "diverged", "failed"])
def test_status_names_the_state(state):
    run = FakeRun()
    run.status = state
    assert f">{state}" in status(run)


def test_status_shows_the_speed_of_a_running_network():
    run = FakeRun()
    run.show(steps_per_second=12_340.0)
    assert "running · 12\u202f340 steps/s" in status(run)


def test_nothing_is_said_of_the_defaults():
    assert texts() == ""


def test_pure_stdp_is_explained():
    assert "readout" in texts(balance=0.0)


def test_printed_signs_are_warnings():
    said = notices(Config(preset="as-printed").values(), (), 0.0)
    assert [notice.kind for notice in said] == ["warning", "warning"]


def test_credit_switched_to_exact_is_exact_from_there():
    marks = [Mark(40, {"credit": "truncated"}), Mark(80, {"credit": "exact"})]
    assert "at update 80" in texts(marks)
    assert texts(marks, credit="truncated") == ""
    assert texts() == ""


def test_lowered_target_says_that_pruned_synapses_stay_pruned():
    assert "stay pruned" in texts(sparsity=0.9, target_sparsity=0.5)
    assert texts(sparsity=0.9, target_sparsity=0.5, regrow="random") == ""
    assert texts(sparsity=0.5, target_sparsity=0.5) == ""


def test_reason_of_a_divergence_comes_first():
    run = FakeRun(Config(preset="as-printed"))
    run.status, run.message = "diverged", "The loss grew beyond 1e3 <b>."
    pane = Notices(run).__panel__()
    assert pane.object.startswith('<p class="bim-note bim-note-error">The loss grew')
    assert "&lt;b&gt;" in pane.object


@pytest.mark.parametrize("name", preset_names())
def test_preset_says_what_to_watch_and_where_the_data_comes_from(name):
    html = about(Config(preset=name))
    assert 'class="bim-watch"' in html
    assert ("synthetic data" in html) == (name not in ("text", "wikitext", "words"))


def test_picking_a_preset_starts_it_and_leaves_the_selectors_in_step():
    session = Session(FakeRun())
    task, preset, _ = Starters(session).__panel__()
    preset.value = "text"
    assert session.run.values["task"] == task.value == "text"
    task.value = "delayed-recall"
    assert session.run.values["task"] == "delayed-recall"
    assert preset.value == ""


def test_buttons_drive_the_run():
    session = Session(FakeRun())
    asked = []
    bar = Transport(session, lambda: asked.append("share"), lambda: asked.append("help"))
    buttons = {widget.css_classes[0]: widget for widget in bar.__panel__()}
    for name in ("toggle", "step", "share", "help", "reset"):
        buttons[f"bim-{name}"].clicks += 1
    assert [name for name, _ in session.run.sent] == ["pause", "step", "reset"]
    assert asked == ["share", "help"]
    assert buttons["bim-toggle"].label == "Pause"


def test_undo_is_offered_when_there_is_something_to_undo():
    session = Session(FakeRun())
    bar = Transport(session, list, list)
    undo = next(w for w in bar.__panel__() if "bim-undo" in w.css_classes)
    assert undo.disabled
    session.change({"balance": 0.5})
    assert not undo.disabled
    undo.clicks += 1
    assert session.config.balance == 1.0


def test_waiting_bar_lists_changes_and_applies_them():
    session = Session(FakeRun())
    bar = Waiting(session).__panel__()
    assert not bar.visible
    session.change({"d_model": 32, "data": "/tmp/<x>"})
    assert bar.visible
    assert "Neurons N 64 → 32" in bar[0].object
    assert "Data none → /tmp/&lt;x&gt;" in bar[0].object
    bar[1].clicks += 1
    assert session.run.values["d_model"] == 32
    assert not bar.visible


def test_waiting_text_shows_switches_as_words():
    assert "seed" in waiting_text({"seed": 3}, {"seed": 0}).lower()


def test_another_local_rule_is_named_and_the_window_is_not_claimed_for_it():
    assert "Local rule oja in the place of eq. 5" in texts(rule="oja")


def test_a_baseline_says_what_the_page_leaves_empty():
    said = texts(model="lstm", balance=0.0, rule="oja", as_printed_pruning=True)
    assert "Model lstm: a baseline trained by truncated BPTT" in said
    assert "the raster shows its input alone" in said
    assert "pure STDP" not in said
    assert "Local rule" not in said
