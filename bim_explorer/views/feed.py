"""The feed: the one tick of a session, at the pace at which its browser paints.

    reader thread ── wake ──▶ session's own callback ── update, tick + 1 ──▶ browser
                                       ▲                                        │ paints
                                       └──────────── painted = tick ────────────┘

At most two ticks are on their way, at most `RATE` a second leave, and none while the page is
hidden or nothing is new. Threads only wake; the document is touched by its own session's
callback alone. In a notebook the kernel's event loop takes the session's place.

`Feed.view` is an empty element that must be laid out somewhere on the page: it acknowledges.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param
from bokeh.document import Document
from panel.custom import JSComponent
from panel.io.state import set_curdoc

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Ticks a second at the most.
RATE = 10.2
#: Ticks that may be on their way to the browser.
OUTSTANDING = 2
#: Seconds after which a tick that was not acknowledged counts as lost.
PATIENCE = 5.0


class Beat(JSComponent):
    """The browser's side of the feed: says which tick it has painted, and whether it is hidden."""

    tick = param.Integer(default=0, doc="Number of the newest tick.")
    painted = param.Integer(default=-1, doc="Number of the newest painted tick; -1: no answer yet.")
    away = param.Boolean(default=False, doc="Whether the page is hidden.")

    # Answers come ten times a second: Panel must neither hold them back to gather more, nor call
    # the page busy for each, which costs it a walk over all models of the page.
    _priority_changes: ClassVar[list[str]] = ["painted", "away"]
    _busy__ignore: ClassVar[list[str]] = ["painted", "away"]

    _esm = Path(__file__).parent / "assets" / "feed.js"


class Feed:
    """Calls `update` in the session's own callback whenever the run has news.

    Args:
        run: Whose snapshots wake the feed.
        update: Brings the page up to date. If it returns False nothing was sent; True asks for
            another call once the page has been painted, also when the run has no news.
        begun: Called once, when the page is there to be seen.

    Attributes:
        view: Must be laid out on the page: the browser acknowledges through it.
    """

    def __init__(
        self, run: RunClient, update: Callable[[], Any], begun: Callable[[], None] | None = None
    ) -> None:
        self.view = Beat(width=0, height=0, margin=0, css_classes=["bim-feed"])
        self._update = update
        self._begun = begun
        self._lock = threading.Lock()
        self._news = self._scheduled = self._ready = self._closed = False
        self._due = self._sent = 0.0
        self._doc: Document | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._adopt()
        self.view.param.watch(self._acknowledged, ["painted", "away"])
        self._unsubscribe = run.subscribe(self.wake)
        self.wake()

    def follow(self, run: RunClient) -> None:
        """Be woken by another run from now on."""
        self._unsubscribe()
        self._unsubscribe = run.subscribe(self.wake)
        self.wake()

    def wake(self) -> None:
        """Say that there is news; from any thread, at any time."""
        with self._lock:
            self._news = True
            if self._scheduled or self._closed:
                return
            self._scheduled = True
        self._schedule(0.0)

    def close(self) -> None:
        """Let go of run and document; further news is ignored."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._unsubscribe()
        self._doc = None

    def _adopt(self) -> None:
        """Learn the session: when made in one, or when its browser first answers."""
        self._loop = self._loop or _running_loop()
        doc = pn.state.curdoc
        if self._doc is None and doc is not None and doc.session_context is not None:
            self._doc = doc
            doc.on_session_destroyed(self._destroyed)
            # What is sent before the page has loaded never reaches it.
            pn.state.onload(self._begin)

    def _begin(self) -> None:
        if not self._ready and self._begun:
            self._begun()
        self._ready = True
        self.wake()

    def _destroyed(self, context: Any) -> None:
        self.close()

    def _schedule(self, seconds: float) -> None:
        """Have `_turn` called later, by way of the event loop: a document is not thread-safe."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._later, seconds)
        else:
            with self._lock:
                self._scheduled = False

    def _later(self, seconds: float) -> None:
        doc, loop = self._doc, self._loop
        if doc is not None and seconds > 0:
            doc.add_timeout_callback(self._turn, round(1000 * seconds))
        elif doc is not None:
            doc.add_next_tick_callback(self._turn)
        elif loop is not None and not self._closed:
            loop.call_later(seconds, self._turn)

    def _turn(self) -> None:
        """In the session's own callback: send a tick if one is wanted, possible and due."""
        with self._lock:
            self._scheduled = False
            if self._closed or not self._news or self._blocked():
                return
            wait = self._due - time.monotonic()
            self._scheduled = self._news = wait > 0
        if wait > 0:
            self._schedule(wait)
        else:
            self._tick()

    def _blocked(self) -> bool:
        """Whether the page is not there, hidden or behind; its answer, or more news, asks again."""
        behind = self.view.tick - self.view.painted >= OUTSTANDING
        waiting = behind and time.monotonic() < self._sent + PATIENCE
        return not self._ready or self.view.away or waiting

    def _tick(self) -> None:
        self._sent = time.monotonic()
        # A late tick does not delay those after it.
        self._due = max(self._due, self._sent - 0.5 / RATE) + 1.0 / RATE
        with set_curdoc(self._doc), pn.io.hold(self._doc):
            sent = self._update()
            if sent is not False:
                self.view.tick += 1
        # Where something was sent there may be more: look again when it has been painted.
        self._news = self._news or sent is True

    def _acknowledged(self, *events: Any) -> None:
        self._adopt()
        if self._doc is None and not self._ready:
            self._begin()
        if self._news:
            self.wake()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
