"""The feed: ticks at the pace of the browser, from the session's own thread, and none in vain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from live_run import LiveRun

from bim_explorer.views import feed as feed_module
from bim_explorer.views.feed import OUTSTANDING, Feed


class Page:
    """A feed in a notebook's event loop, and a browser that answers when it is told to."""

    def __init__(self, sends: Callable[[], Any] = lambda: None) -> None:
        self.run = LiveRun()
        self.updates = 0
        self.threads: set[int] = set()
        self._sends = sends
        self.feed = Feed(self.run, self._update)

    def _update(self) -> Any:
        self.updates += 1
        self.threads.add(threading.get_ident())
        return self._sends()

    def paint(self) -> None:
        self.feed.view.painted = self.feed.view.tick

    async def news(self, times: int = 1) -> None:
        for _ in range(times):
            self.run.tell()
            await asyncio.sleep(0.015)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(feed_module, "RATE", 200.0)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scene in a thread of its own, for a browser may have an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scene()).result()


def test_nothing_is_sent_before_the_page_is_there():
    async def scene():
        page = Page()
        await page.news(3)
        assert page.updates == 0
        page.paint()
        await asyncio.sleep(0.03)
        assert page.updates == 1

    play(scene)


def test_at_most_two_ticks_are_on_their_way():
    async def scene():
        page = Page()
        page.paint()
        await page.news(10)
        assert page.updates == page.feed.view.tick == OUTSTANDING
        page.paint()
        await asyncio.sleep(0.03)
        assert page.updates == OUTSTANDING + 1

    play(scene)


def test_news_that_came_in_the_meantime_is_one_tick():
    async def scene():
        page = Page()
        page.paint()
        await page.news(10)
        page.paint()
        await asyncio.sleep(0.05)
        page.paint()
        await asyncio.sleep(0.05)
        assert page.updates == OUTSTANDING + 1

    play(scene)


def test_ticks_keep_to_their_rate(monkeypatch):
    monkeypatch.setattr(feed_module, "RATE", 10.0)

    async def scene():
        page = Page()
        page.paint()
        for _ in range(20):
            await page.news()
            page.paint()
        assert 3 <= page.updates <= 5

    play(scene)


def test_hidden_page_gets_none_until_it_is_back():
    async def scene():
        page = Page()
        page.paint()
        await page.news()
        page.feed.view.away = True
        page.paint()
        before = page.updates
        await page.news(5)
        assert page.updates == before
        page.feed.view.away = False
        await asyncio.sleep(0.03)
        assert page.updates == before + 1

    play(scene)


def test_lost_answer_does_not_stop_the_page_for_ever(monkeypatch):
    monkeypatch.setattr(feed_module, "PATIENCE", 0.05)

    async def scene():
        page = Page()
        page.paint()
        await page.news(3)
        assert page.updates == OUTSTANDING
        await asyncio.sleep(0.06)
        await page.news()
        assert page.updates == OUTSTANDING + 1

    play(scene)


def test_no_news_no_tick():
    async def scene():
        page = Page()
        page.paint()
        await asyncio.sleep(0.05)
        before = page.updates
        page.paint()
        await asyncio.sleep(0.05)
        assert page.updates == before

    play(scene)


def test_update_that_sent_nothing_asks_for_no_answer():
    async def scene():
        page = Page(sends=lambda: False)
        page.paint()
        await page.news(6)
        assert page.updates >= 5
        assert page.feed.view.tick == 0

    play(scene)


def test_update_that_sent_something_is_asked_for_more():
    async def scene():
        rest = iter([True, True, True])
        page = Page(sends=lambda: next(rest, False))
        for _ in range(6):
            page.paint()
            await asyncio.sleep(0.02)
        assert page.updates == 4
        assert page.feed.view.tick == 3

    play(scene)


def test_threads_only_wake():
    async def scene():
        page = Page()
        page.paint()
        other = threading.Thread(target=page.run.tell)
        other.start()
        other.join()
        await asyncio.sleep(0.03)
        assert page.threads == {threading.get_ident()}

    play(scene)


def test_failing_update_does_not_stop_those_after_it():
    async def scene():
        page = Page(sends=lambda: 1 / 0)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        page.paint()
        await page.news(3)
        assert page.updates >= 3

    play(scene)


def test_another_run_wakes_it_after_a_change_of_runs():
    async def scene():
        page = Page()
        page.paint()
        await page.news()
        other = LiveRun()
        page.feed.follow(other)
        assert not page.run.watchers
        before = page.updates
        page.paint()
        other.tell()
        await asyncio.sleep(0.03)
        assert page.updates > before

    play(scene)


def test_closed_feed_lets_go_of_its_run():
    async def scene():
        page = Page()
        page.paint()
        page.feed.close()
        page.feed.close()
        assert not page.run.watchers
        page.feed.wake()
        await asyncio.sleep(0.03)
        assert page.updates == 0

    play(scene)


def test_feed_outside_of_any_loop_waits_for_a_page():
    page = Page()
    page.run.tell()
    assert page.updates == 0
