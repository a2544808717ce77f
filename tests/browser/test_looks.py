"""Light, dark and narrow: nothing overflows, nothing is cut off.

Pictures are kept in the folder BIM_PICTURES, if there is one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from served import Visitor, wait_for

pytestmark = pytest.mark.browser

OVERFLOW = """() => {
  const wide = []
  const visit = (node) => {
    for (const part of node.children ?? []) {
      const box = part.getBoundingClientRect()
      const shown = box.width > 0 && getComputedStyle(part).visibility !== "hidden"
      if (shown && box.right > innerWidth + 1) wide.push(`${part.tagName}.${part.className}`)
      if (part.classList.contains("bk-Figure")) continue
      visit(part)
      if (part.shadowRoot) visit(part.shadowRoot)
    }
  }
  visit(document.querySelector("body"))
  return wide
}"""


@pytest.fixture
def picture(visitor, tmp_path):
    folder = Path(os.environ.get("BIM_PICTURES") or tmp_path)

    def take(name):
        visitor.page.mouse.move(700, 5)
        visitor.page.wait_for_timeout(500)
        visitor.page.screenshot(path=folder / f"{name}.png")

    return take


def background(visitor):
    return visitor.page.locator(".bim-raster").evaluate(
        "(e) => getComputedStyle(e).backgroundColor"
    )


def test_light_page(visitor, picture):
    wait_for(lambda: visitor.update > 200, "something to look at")
    assert visitor.page.evaluate(OVERFLOW) == []
    assert background(visitor) == "rgb(255, 255, 255)"
    picture("light")


def test_dark_page(visitor, picture):
    visitor.page.get_by_role("button", name="Toggle theme").click()
    wait_for(lambda: background(visitor) == "rgb(27, 30, 34)", "a dark page")
    picture("dark")
    visitor.page.get_by_role("button", name="Toggle theme").click()
    wait_for(lambda: background(visitor) == "rgb(255, 255, 255)", "a light page")


def test_plots_stand_wide_and_in_pairs(visitor):
    names = ("raster", "stdp", "sparsity", "loss", "metric")
    for name in names:
        visitor.page.locator(f".bim-{name} canvas").first.wait_for()
    boxes = {name: visitor.page.locator(f".bim-{name}").bounding_box() for name in names}
    assert boxes["raster"]["width"] > 1.9 * boxes["stdp"]["width"]
    for left, right in (("stdp", "sparsity"), ("loss", "metric")):
        assert boxes[left]["y"] == pytest.approx(boxes[right]["y"], abs=1)
        assert boxes[left]["height"] == pytest.approx(boxes[right]["height"], abs=1)
    for name, box in boxes.items():
        plot = visitor.page.locator(f".bim-{name} canvas").first.bounding_box()
        assert plot["y"] + plot["height"] <= box["y"] + box["height"] + 1, name


def test_narrow_page_has_one_column_and_a_drawer(visitor, picture):
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    expect(visitor.page.locator(".bim-controls")).to_be_hidden()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 390
    columns = {visitor.page.locator(f".bim-{n}").bounding_box()["x"] for n in ("stdp", "sparsity")}
    assert len(columns) == 1
    picture("narrow")
    visitor.page.get_by_role("button", name="Open drawer").click()
    expect(visitor.page.locator(".bim-controls")).to_be_visible()
    picture("drawer")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator(".bim-controls")).to_be_hidden()


def test_phone_opens_with_its_drawer_closed(visitor, browser):
    phone = Visitor(visitor.server, browser, viewport={"width": 390, "height": 844})
    phone.open(f"?run={visitor.query['run']}")
    expect(phone.page.locator(".bim-controls")).to_be_hidden()
    assert phone.complaints() == []
    phone.close()
