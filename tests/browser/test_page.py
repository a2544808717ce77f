"""Transport, keys, presets, address and refresh, in a real browser against a real worker."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from served import Visitor, wait_for

from bim_explorer.config import preset_names, read_preset

pytestmark = pytest.mark.browser


def test_page_learns_and_shows_it(visitor):
    first = visitor.update
    wait_for(lambda: visitor.update > first + 5, "further updates")
    assert "steps/s" in visitor.status
    figures = visitor.page.locator(".bim-figures")
    expect(figures.locator(".bim-figure-metric .bim-figure-value")).to_contain_text("%")
    expect(figures.locator(".bim-figure-loss .bim-figure-value")).not_to_have_text("–")
    expect(visitor.page.locator(".bim-about")).to_contain_text("synthetic data")


def test_plots_follow_the_run(visitor):
    points = """() => Math.max(...[...Bokeh.documents[0]._all_models.values()]
        .filter((model) => model.type === "ColumnDataSource" && model.data.update)
        .map((model) => model.data.update.length))"""
    first = visitor.page.evaluate(points)
    wait_for(lambda: visitor.page.evaluate(points) > first, "new points")
    assert visitor.page.locator(".bim-plot canvas").count() >= 5


def test_pause_step_and_run_by_buttons(visitor):
    visitor.pause()
    before = visitor.update
    visitor.press("step")
    wait_for(lambda: visitor.update == before + 1, "a single step")
    assert visitor.status == "paused"
    visitor.press("toggle")
    wait_for(lambda: visitor.update > before + 2, "the run to go on")
    expect(visitor.page.locator(".bim-toggle button")).to_contain_text("Pause")


def test_keys_run_pause_step_undo_and_help(visitor):
    visitor.page.locator("body").click(position={"x": 700, "y": 1170})
    visitor.page.keyboard.press("Space")
    wait_for(lambda: visitor.status == "paused", "a pause")
    before = visitor.update
    visitor.page.keyboard.press("s")
    wait_for(lambda: visitor.update == before + 1, "a single step")
    visitor.enter("balance", "0.25")
    wait_for(lambda: visitor.acknowledged().get("balance") == 0.25, "the change")
    visitor.page.keyboard.press("z")
    wait_for(lambda: visitor.acknowledged()["balance"] == 1.0, "the undo")
    visitor.page.keyboard.press("?")
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog).to_contain_text("run or pause")
    visitor.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    visitor.page.keyboard.press("Space")
    wait_for(lambda: "running" in visitor.status, "the run to go on")


def test_keys_belong_to_the_field_that_is_typed_in(visitor):
    visitor.pause()
    field = visitor.uncover("delta_min").locator(".field")
    field.click()
    field.press("End")
    visitor.page.keyboard.type(" s?z")
    assert field.input_value().endswith(" s?z")
    visitor.page.keyboard.press("Escape")
    assert visitor.status == "paused"
    expect(visitor.page.get_by_role("dialog")).to_be_hidden()


def test_speed_is_held(visitor):
    visitor.pause()
    visitor.pick("speed", "3 / s")
    visitor.press("toggle")
    wait_for(lambda: "running" in visitor.status, "the run to go on")
    first = visitor.update
    visitor.page.wait_for_timeout(3000)
    assert 4 <= visitor.update - first <= 16
    visitor.pick("speed", "max")
    wait_for(lambda: visitor.update - first > 40, "full speed")


def test_share_copies_a_link_to_the_values(visitor):
    visitor.enter("a_minus", "0.9")
    wait_for(lambda: visitor.query.get("a_minus") == "0.9", "the address")
    visitor.press("share")
    visitor.told("The link is on the clipboard.")
    link = visitor.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(visitor.server.address)
    assert "a_minus=0.9" in link
    assert "run=" not in link


def test_credit_switched_to_exact_is_marked(visitor):
    visitor.enter("credit", "truncated")
    wait_for(lambda: visitor.acknowledged()["credit"] == "truncated", "truncated credit")
    visitor.enter("credit", "exact")
    expect(visitor.page.locator(".bim-notices")).to_contain_text("Exact from here")


def test_refresh_keeps_the_run_the_controls_and_the_look(visitor):
    visitor.pause()
    visitor.enter("balance", "0.75")
    visitor.enter("n_blocks", 2)
    wait_for(lambda: visitor.query.get("n_blocks") == "2", "the address")
    visitor.page.get_by_role("button", name="Toggle theme").click()
    wait_for(lambda: visitor.query["theme"] == "dark", "a dark page")
    folder, update, run = visitor.folder, visitor.update, visitor.query["run"]
    visitor.page.reload()
    visitor.page.locator(".bim-raster canvas").first.wait_for()
    wait_for(lambda: visitor.update == update, "the run's update number")
    assert (visitor.folder, visitor.query["run"], visitor.status) == (folder, run, "paused")
    expect(visitor.control("balance").locator(".field")).to_have_value("0.75")
    expect(visitor.page.locator(".bim-waiting")).to_contain_text("Blocks 1 → 2")
    assert visitor.query["theme"] == "dark"
    visitor.press("discard")
    visitor.page.get_by_role("button", name="Toggle theme").click()
    wait_for(lambda: visitor.query["theme"] == "default", "a light page")


def test_reset_begins_anew_with_the_same_values(visitor):
    before, values = visitor.folder, visitor.started_with()
    balance = visitor.control("balance").locator(".field").input_value()
    visitor.press("reset")
    visitor.told(f"The run before is kept in {before}")
    wait_for(lambda: visitor.folder != before, "a new folder")
    started = wait_for(visitor.started_with, "its config")
    assert started["seed"] == values["seed"]
    assert f"{started['balance']:g}" == balance


def test_presets_start_at_once_and_say_what_to_watch(visitor):
    warnings = {"as-printed": 2, "half": 0}
    for name, count in warnings.items():
        assert name in preset_names()
        preset, before = read_preset(name), visitor.folder
        visitor.pick("preset", preset.title)
        wait_for(lambda before=before: visitor.folder != before, "a new run")
        started = wait_for(visitor.started_with, "its config")
        assert preset.values.items() <= started.items()
        expect(visitor.page.locator(".bim-about")).to_contain_text(preset.watch)
        expect(visitor.page.locator(".bim-note-warning")).to_have_count(count)
        assert visitor.query["preset"] == name


def test_task_starts_another_run_on_real_text(visitor):
    before = visitor.folder
    visitor.pick("task", "Text, next character")
    wait_for(lambda: visitor.folder != before, "a new run")
    wait_for(lambda: visitor.started_with()["task"] == "text", "its config")
    expect(visitor.page.locator(".bim-figure-metric")).to_contain_text("bits per character")
    expect(visitor.page.locator(".bim-metric")).to_contain_text("Bits per character")
    expect(visitor.page.locator(".bim-about")).not_to_contain_text("synthetic")


def test_a_second_visitor_joins_and_follows(visitor, browser):
    visitor.pause()
    guest = Visitor(visitor.server, browser)
    guest.open(f"?run={visitor.query['run']}&bogus=1")
    guest.told("The address names no known parameter 'bogus'.")
    assert guest.query["run"] == visitor.query["run"]
    assert guest.update == visitor.update
    visitor.enter("a_plus", "0.8")
    expect(guest.control("a_plus").locator(".field")).to_have_value("0.8")
    guest.close()
