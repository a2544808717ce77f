"""Board and feed in a real browser: what it shows is what the run told, all of it, in peace."""

from __future__ import annotations

import socket
import threading
import time

import panel as pn
import panel_material_ui as pmui
import pytest
from live_run import LiveRun

from bim_explorer.views import theme
from bim_explorer.views.board import Board
from bim_explorer.views.feed import Feed

pytestmark = pytest.mark.browser

POINTS = """() => {
  const figures = [...Bokeh.documents[0].all_models].filter(model => model.type == "Figure")
  const sources = figures.flatMap(figure => figure.renderers.map(part => part.data_source))
  return sources.filter(source => source?.data.loss).map(source => [...source.data.update])[0]
}"""
COLOURS = """() => [...Bokeh.documents[0].all_models].filter(m => m.type == "Line").map(
  line => line.line_color.value ?? line.line_color)"""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true})
  document.dispatchEvent(new Event("visibilitychange"))
}"""


class Site:
    """A served board whose run is advanced by the test, and the page that shows it."""

    def __init__(self) -> None:
        self.run = LiveRun()
        self.console: list[str] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        soon = {"unused_session_lifetime_milliseconds": 5000}
        soon["check_unused_sessions_milliseconds"] = 500
        self.server = pn.serve(self._page, port=self.port, show=False, threaded=True, **soon)

    def _page(self) -> pmui.Page:
        self.board = Board(self.run)
        self.feed = Feed(self.run, self.board.update)
        panes = [getattr(self.board, name) for name in ("raster", "stdp", "loss", "metric")]
        main = pn.Column(self.feed.view, *panes, self.board.sparsity)
        page = pmui.Page(main=[main], theme_config=theme.theme_config(), busy_indicator=None)
        page.param.watch(lambda event: setattr(self.board, "dark", event.new), "dark_theme")
        return page

    def visit(self, browser) -> None:
        self.page = browser.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.until(self._listens)
        self.page.goto(f"http://localhost:{self.port}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.console.append(f"{message.text} {message.location['url']}")

    def until(self, condition, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it took too long"
            self.page.wait_for_timeout(50)

    def shows_all(self) -> bool:
        kept = [int(update) for update in self.run.history.curve("loss")[0]]
        return self.page.evaluate(POINTS) == kept


@pytest.fixture(scope="module")
def site(browser):
    """A page that is loaded while its run goes on."""
    site = Site()
    site.run.advance()
    going = threading.Event()

    def go_on() -> None:
        while not going.wait(0.05):
            site.run.advance(steps=30)

    runner = threading.Thread(target=go_on)
    runner.start()
    try:
        site.visit(browser)
        site.until(lambda: hasattr(site, "feed") and site.feed.view.painted >= 3)
    finally:
        going.set()
        runner.join()
    yield site
    site.page.close()
    site.server.stop()


def test_nothing_that_came_while_the_page_loaded_is_lost(site):
    site.until(site.shows_all)


def test_every_tick_is_answered(site):
    for _ in range(3):
        before = site.feed.view.tick
        site.run.advance()
        site.until(lambda before=before: site.feed.view.painted == site.feed.view.tick > before)


def test_paused_run_is_silent(site):
    site.until(lambda: site.feed.view.painted == site.feed.view.tick)
    ticks = []

    def rests() -> bool:
        """Whether a second and a half brought no tick, once the last one was painted."""
        ticks.append(site.feed.view.tick)
        site.page.wait_for_timeout(1500)
        return site.feed.view.tick == ticks[-1]

    site.until(rests)


def test_hidden_page_is_left_in_peace_and_catches_up(site):
    site.page.evaluate(HIDE, True)
    site.until(lambda: site.feed.view.away)
    before = site.feed.view.tick
    for _ in range(5):
        site.run.advance()
        site.page.wait_for_timeout(50)
    assert site.feed.view.tick == before
    site.page.evaluate(HIDE, False)
    site.until(site.shows_all)


def test_plots_follow_a_change_of_look(site):
    site.page.get_by_role("button", name="Toggle theme").click()
    site.until(lambda: theme.DARK.loss in site.page.evaluate(COLOURS))
    site.run.advance()
    site.until(site.shows_all)


def test_console_is_empty(site):
    assert not site.console


def test_closed_page_lets_go_of_its_run(site):
    assert site.run.watchers
    site.page.close()
    end = time.monotonic() + 30
    while site.run.watchers and time.monotonic() < end:
        time.sleep(0.05)
    assert not site.run.watchers
