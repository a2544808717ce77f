"""The explorer: one run with its controls and live plots, in a notebook cell or as a page.

    address, config → hub → run → session → controls
                             └─ snapshots ─→ feed ─→ board, figures, notices

Whoever opens the address of a run that is still alive joins it. A new run begins to learn when
its page has loaded: nothing is missed, and the browser has the machine to itself until then.
The run outlives the page.
"""

from __future__ import annotations

import time
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewer

from bim_explorer.config import Config
from bim_explorer.service.client import RunClient
from bim_explorer.service.hub import Hub, shared_hub
from bim_explorer.views import shell
from bim_explorer.views.board import Board
from bim_explorer.views.feed import Feed
from bim_explorer.views.panels.border import attempt, tell
from bim_explorer.views.panels.browser import Browser
from bim_explorer.views.panels.controls import Controls
from bim_explorer.views.panels.figures import Figures
from bim_explorer.views.panels.help import help_dialog
from bim_explorer.views.panels.notices import Notices
from bim_explorer.views.panels.starters import Starters
from bim_explorer.views.panels.transport import Transport
from bim_explorer.views.panels.waiting import Waiting
from bim_explorer.views.query import read_query, write_query
from bim_explorer.views.state import Session

#: Seconds between two changes of the figures of a running network.
NUMBERS_SECONDS = 0.25


class Explorer(Viewer):
    """A run, its controls and its plots.

    Args:
        config: What to run; by default the first preset. A page's address may change it.
        hub: Where the run lives; by default this process's own.

    Example:
        >>> Explorer(Config(preset="recall")).servable()
    """

    def __init__(self, config: Config | None = None, hub: Hub | None = None) -> None:
        super().__init__()
        self._numbers_due = 0.0
        search, dark = _address()
        wanted, run_id, complaints = read_query(search, config or Config(preset="recall"))
        hub = hub or shared_hub()
        run = _alive(hub, run_id)
        if run_id and run is None:
            complaints.append(f"Run {run_id} has ended; this is a new one.")
        joined = run is not None
        self.run = run or hub.start(wanted.values(), paused=True)
        self._joined = joined
        self.session = Session(self.run, wanted.values() if joined else None)
        self._build(dark)
        self._listen()
        self._complaints = complaints
        pn.state.onload(self._complain)

    def _build(self, dark: bool) -> None:
        self.board = Board(self.run, dark)
        self._task = self.session.config.task
        self._browser = Browser(pressed=self._pressed, copied=_copied)
        self._help = help_dialog()
        owns_tab = pn.state.location is not None
        share = self._share if owns_tab else None
        self._transport = Transport(self.session, share, self._explain)
        self._figures = Figures(self.run)
        self._notices = Notices(self.run)
        self.feed = Feed(self.run, self._tick, self._begin)
        top = [self._transport, self._figures, Waiting(self.session), self._notices]
        hidden = [self.feed.view, self._help, *([self._browser] if owns_tab else [])]
        self.page = shell.page(
            sidebar=[Starters(self.session), Controls(self.session)],
            main=[*top, shell.plots(self.board), *hidden],
            dark=dark,
        )
        self._address_changed()

    def _listen(self) -> None:
        session = self.session
        session.param.watch(self._started, "starts")
        session.param.watch(self._address_changed, "pending")
        session.config.param.watch(self._address_changed, Config.names())
        self.page.param.watch(self._look_changed, "dark_theme")
        # What the browser says while the page loads is answered once it has loaded.
        self._browser.param.watch(lambda _: pn.state.onload(self._fit_sidebar), "narrow")

    def _complain(self) -> None:
        for text in self._complaints:
            tell(text, "warning")

    def _begin(self) -> None:
        if not self._joined:
            attempt(self.run.resume)

    def _tick(self) -> bool:
        """Bring the page up to what the run told last; whether anything was sent."""
        self.session.sync()
        parts: list[Any] = [self.board, self._notices]
        # Nobody reads numbers that change ten times a second; at rest they are the last ones.
        if time.monotonic() >= self._numbers_due or self.run.status != "running":
            self._numbers_due = time.monotonic() + NUMBERS_SECONDS
            parts += [self._transport, self._figures]
        changed = [part.update() for part in parts]
        return any(changed)

    def _started(self, event: Any) -> None:
        # Only another task changes what the plots are; all else they follow by themselves.
        if self.session.config.task != self._task:
            self._task = self.session.config.task
            self.board.rebuild(self.run)
        if self.session.left_behind is not None:
            tell(f"The run before is kept in {self.session.left_behind}.")

    def _look_changed(self, event: Any) -> None:
        self.board.dark = event.new
        self._address_changed()

    def _fit_sidebar(self) -> None:
        self.page.sidebar_open = not self._browser.narrow

    def _address_changed(self, *_: Any) -> None:
        values = self.session.config.values()
        self._browser.query = write_query(values, self.run.id, self.page.dark_theme)

    def _share(self) -> None:
        self._browser.copy(write_query(self.session.config.values()))

    def _explain(self) -> None:
        self._help.open = not self._help.open

    def _pressed(self, key: str) -> None:
        actions = {
            "Space": self.session.toggle,
            "s": self.session.step,
            "z": self.session.undo,
            "?": self._explain,
        }
        attempt(actions[key])
        self._transport.update()

    def __panel__(self) -> pmui.Page:
        return self.page


def _address() -> tuple[str, bool]:
    """The query of the page's address, and whether the page is to be dark."""
    location = pn.state.location
    return (location.search if location else ""), pn.config.theme == "dark"


def _alive(hub: Hub, run_id: str) -> RunClient | None:
    run = hub.get(run_id) if run_id else None
    return run if run is not None and run.standing else None


def _copied(link: str, done: bool) -> None:
    if done:
        tell("The link is on the clipboard.", "success")
    else:
        tell(f"The browser keeps its clipboard closed; copy this: {link}", "warning")
