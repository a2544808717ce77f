"""The transport bar: run or pause, step, reset, pace, undo, share, help, and the status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewer

from bim_explorer.views import theme
from bim_explorer.views.panels.border import attempt
from bim_explorer.views.panels.figures import status
from bim_explorer.views.state import Session


class Transport(Viewer):
    """Buttons that drive the session's run.

    Args:
        session: What the buttons act on.
        share: Called when a link is asked for; None where there is no address to share.
        explain: Called when help is asked for.
    """

    def __init__(
        self, session: Session, share: Callable[[], None] | None, explain: Callable[[], None]
    ) -> None:
        super().__init__()
        self._session = session
        self._toggle = self._button("bim-toggle", "", "", session.toggle, theme.TOGGLE)
        self._undo = self._button("bim-undo", "Undo", "undo", session.undo)
        self._undo.disabled = session.param.can_undo.rx.not_()
        self._buttons = [
            self._toggle,
            self._button("bim-step", "Step", "skip_next", session.step),
            self._button("bim-reset", "Reset", "restart_alt", session.reset),
            self._pace(),
            self._undo,
            *([self._button("bim-share", "Share", "link", share)] if share else []),
            self._button("bim-help", "Help", "help_outline", explain),
        ]
        self._status = pn.pane.HTML(
            css_classes=["bim-status"], stylesheets=[theme.stylesheet("page")], margin=0
        )
        self.update()

    def update(self) -> bool:
        """Show the run's status; whether it changed."""
        label, icon = ("Pause", "pause") if self._session.running else ("Run", "play_arrow")
        if label != self._toggle.label:
            self._toggle.param.update(label=label, icon=icon)
        html = status(self._session.run)
        if html == self._status.object:
            return False
        self._status.object = html
        return True

    def _button(
        self,
        css_class: str,
        label: str,
        icon: str,
        action: Callable[[], Any],
        look: dict[str, Any] = theme.BUTTON,
    ) -> pmui.Button:
        def clicked(event: Any) -> None:
            attempt(action)
            self.update()

        return pmui.Button(
            label=label, icon=icon, css_classes=[css_class], on_click=clicked, **look
        )

    def _pace(self) -> pmui.Select:
        return pmui.Select.from_param(
            self._session.param.speed,
            label="Speed",
            description="",
            css_classes=["bim-speed"],
            **theme.PACE,
        )

    def __panel__(self) -> pmui.FlexBox:
        return pmui.FlexBox(*self._buttons, self._status, **theme.BAR)
