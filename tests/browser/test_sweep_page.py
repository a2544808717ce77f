"""The page of a sweep in a real browser: it follows the folder, and a mark leads to its run.

Pictures are kept in the folder BIM_PICTURES, if there is one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for
from small_sweep import small_plan

from bim_explorer.sweeps.paths import SweepFolder, write_outcome
from bim_explorer.sweeps.sweep import opened

pytestmark = pytest.mark.browser

APP = Path(__file__).parents[2] / "apps" / "sweeps.py"


def end(folder, index, status="done", **told):
    metrics = {"accuracy": 0.5 + index / 10}
    figures = {"loss": 1.0, "metrics": metrics, "sparsity": 0.0, "firing_rate": 0.1}
    outcome = {"status": status, "seconds": 2.0, "attempts": 1, **figures, **told}
    write_outcome(folder.run(index), outcome)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A sweep of four runs of which two have ended."""
    path = tmp_path_factory.mktemp("sweeps") / "study"
    plan = small_plan()
    with opened(plan.to_json(), "sweep", path) as folder:
        for index in range(2):
            end(folder, index)
    return SweepFolder(path)


@pytest.fixture(scope="module")
def address(watched):
    command = [sys.executable, str(APP), str(watched.path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    yield found.group()
    process.terminate()
    process.wait(30)


@pytest.fixture
def tab(browser, address):
    """A tab whose console must stay silent."""
    context = browser.new_context(viewport={"width": 1440, "height": 1100})
    context.set_default_timeout(1000 * PATIENCE)
    expect.set_options(timeout=1000 * PATIENCE)
    page, heard = context.new_page(), []
    page.on("console", lambda m: heard.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(address)
    page.locator(".bim-heat canvas").first.wait_for()
    yield page
    assert heard == []
    context.close()


def keep(page, name):
    folder = os.environ.get("BIM_PICTURES")
    if folder:
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(folder) / f"sweep-{name}.png", full_page=True)


def test_the_page_follows_the_folder_and_leads_to_runs(tab, watched):
    cards = tab.locator(".bim-card-done")
    expect(cards).to_contain_text("2 / 4")
    end(watched, 2)
    end(watched, 3, "failed", error="its process was killed")
    expect(cards).to_contain_text("4 / 4")
    expect(tab.locator(".bim-failures")).to_contain_text("its process was killed")
    expect(tab.locator(".bim-run-failed")).to_have_count(1)
    box = tab.locator(".bim-heat canvas").first.bounding_box()
    tab.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    expect(tab.locator(".bk-Tooltip").first).to_contain_text(str(watched.path))
    keep(tab, "light")


def test_a_phone_and_a_dark_page_are_whole(tab):
    tab.set_viewport_size({"width": 390, "height": 844})
    wait_for(lambda: tab.evaluate("document.documentElement.scrollWidth") == 390, "one column")
    keep(tab, "narrow")
    tab.set_viewport_size({"width": 1440, "height": 1100})
    tab.get_by_role("button", name="Toggle theme").click()
    colour = "(e) => getComputedStyle(e).backgroundColor"
    plot = tab.locator(".bim-heat")
    wait_for(lambda: plot.evaluate(colour) == "rgb(27, 30, 34)", "a dark page")
    keep(tab, "dark")
