"""Every control, driven in a real browser, against what a real worker acknowledged."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from served import wait_for

from bim_explorer.config import Config
from bim_explorer.views.panels.controls import ON_TOP, describe_control

pytestmark = pytest.mark.browser

SECTIONS = dict(Config.sections())


def another_value(name, value):
    """A valid value that differs from the present one."""
    if isinstance(value, bool):
        return not value
    control = describe_control(name)
    if control["kind"] == "choice":
        return next(option for option in control["options"] if option != value)
    if control["kind"] == "text":
        return "cpu:0"
    if isinstance(value, int):
        return value + 1
    low, high = control["low"], control["high"]
    return round(low + 0.25 * (high - low), 4) if value > low + 0.3 * (high - low) else high / 2


#: Refused unless much else is set first (`config.event_driven`): it has a test of its own.
CONDITIONAL = {"event_driven"}


def names_of(section, live):
    names = [n for n in SECTIONS[section] if n not in ON_TOP and Config.is_live(n) is live]
    return [name for name in names if name not in CONDITIONAL]


@pytest.mark.parametrize("section", [s for s in SECTIONS if names_of(s, True)])
def test_live_controls_act_on_the_running_network(visitor, section):
    visitor.pause()
    entered = {}
    for name in names_of(section, live=True):
        entered[name] = another_value(name, visitor.started_with()[name])
        visitor.enter(name, entered[name])
    wait_for(lambda: entered.items() <= visitor.acknowledged().items(), f"all of {entered}")
    for name, value in entered.items():
        field = visitor.control(name).locator(".field")
        if field.count():
            expect(field).to_have_value(f"{value:g}")
    assert visitor.query["run"]


def test_slider_shows_its_value_while_dragged_and_acts_on_release(visitor):
    before = visitor.acknowledged().get("a_plus")
    control = visitor.uncover("a_plus")
    slider, field = control.locator("input[type=range]"), control.locator(".field")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    visitor.page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 0.75 * box["width"], middle, steps=4)
    shown = float(field.input_value())
    assert 1.3 < shown < 1.7
    assert visitor.acknowledged().get("a_plus") == before
    visitor.page.mouse.up()
    wait_for(lambda: visitor.acknowledged()["a_plus"] == shown, "the slider's value")


def test_slider_answers_to_the_keyboard(visitor):
    slider = visitor.control("learning_rate").locator("input[type=range]")
    visitor.enter("learning_rate", "1e-3")
    wait_for(lambda: visitor.acknowledged()["learning_rate"] == 1e-3, "η")
    slider.press("End")
    wait_for(lambda: visitor.acknowledged()["learning_rate"] == 0.1, "the slider's end")
    visitor.enter("learning_rate", "2e-5")
    wait_for(lambda: visitor.acknowledged()["learning_rate"] == 2e-5, "η")
    expect(visitor.control("learning_rate").locator(".field")).to_have_value("2e-5")


def test_refused_value_is_explained_and_taken_back(visitor):
    shown = visitor.control("tau_plus_ms").locator(".field").input_value()
    visitor.enter("tau_plus_ms", "5000")
    visitor.told("tau_plus_ms must be ≤ 1000.0, got 5000.0")
    expect(visitor.control("tau_plus_ms").locator(".field")).to_have_value(shown)
    visitor.enter("tau_plus_ms", "soon")
    visitor.told("tau_plus_ms must be a number, got 'soon'")
    expect(visitor.control("tau_plus_ms").locator(".field")).to_have_value(shown)


def test_events_say_what_they_need(visitor):
    visitor.enter("event_driven", True)
    visitor.told("event_driven needs")
    assert not visitor.acknowledged().get("event_driven")


def test_sizes_wait_until_they_are_applied(visitor):
    before = visitor.folder
    entered = {}
    for section in SECTIONS:
        for name in names_of(section, live=False):
            if name not in ("data", "device", "threads"):
                entered[name] = another_value(name, visitor.started_with()[name])
    for name, value in entered.items():
        visitor.enter(name, value)
    waiting = visitor.page.locator(".bim-waiting")
    for name in entered:
        expect(waiting).to_contain_text(Config.param[name].label)
    assert visitor.folder == before
    visitor.press("apply")
    visitor.told(f"The run before is kept in {before}")  # first: it goes away by itself
    wait_for(lambda: visitor.folder != before, "a new run")
    wait_for(lambda: entered.items() <= visitor.started_with().items(), f"all of {entered}")
    expect(waiting).to_be_hidden()


def test_discarded_changes_leave_the_run_alone(visitor):
    before = visitor.folder
    visitor.uncover("n_blocks").get_by_role("button", name="more").click()
    expect(visitor.page.locator(".bim-waiting")).to_be_visible()
    visitor.press("discard")
    expect(visitor.page.locator(".bim-waiting")).to_be_hidden()
    assert visitor.folder == before


def test_undo_takes_the_last_change_back(visitor):
    visitor.enter("prune_every", "33")
    wait_for(lambda: visitor.acknowledged()["prune_every"] == 33, "the change")
    visitor.press("undo")
    wait_for(lambda: visitor.acknowledged()["prune_every"] != 33, "the undo")


def test_explanation_shows_beside_its_control(visitor):
    control = visitor.control("target_sparsity")
    control.locator(".info").hover()
    expect(control.locator(".doc")).to_have_text(Config.param["target_sparsity"].doc)
    expect(control.locator(".doc")).to_be_visible()


def test_no_label_or_value_is_clipped(visitor):
    clipped = visitor.page.locator(".bim-controls").evaluate(
        """(host) => [...host.shadowRoot.querySelectorAll("label, .field, summary, span")]
             .filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0)
             .map((part) => part.textContent || part.value)"""
    )
    assert clipped == []
