"""The bar that appears while changes wait for a new network: what they are, apply, discard."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewer

from bim_explorer.config import Config
from bim_explorer.views import theme
from bim_explorer.views.panels.border import attempt
from bim_explorer.views.plots.format import value_text
from bim_explorer.views.state import Session


class Waiting(Viewer):
    """Visible while the session has something pending."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._text = pn.pane.HTML(
            align="center", stylesheets=[theme.stylesheet("page")], **theme.TEXT
        )
        apply = pmui.Button(
            label="Apply and restart",
            icon="restart_alt",
            css_classes=["bim-apply"],
            on_click=lambda _: attempt(session.apply),
            **theme.MAIN_BUTTON,
        )
        discard = pmui.Button(
            label="Discard",
            css_classes=["bim-discard"],
            on_click=lambda _: attempt(session.discard),
            **theme.BUTTON,
        )
        self._bar = pn.Row(
            self._text,
            apply,
            discard,
            css_classes=["bim-waiting"],
            stylesheets=[theme.stylesheet("page")],
            **theme.STACK,
        )
        self._session = session
        self._show()
        session.param.watch(self._show, "pending")

    def _show(self, *_: Any) -> None:
        pending = self._session.pending
        self._text.object = waiting_text(pending, self._session.in_force)
        self._bar.visible = bool(pending)

    def __panel__(self) -> pn.Row:
        return self._bar


def waiting_text(pending: Mapping[str, Any], in_force: Mapping[str, Any]) -> str:
    """The list of changes as HTML: `Neurons N 64 → 128`."""
    changes = (
        f"{Config.param[name].label} {_shown(in_force[name])} → {_shown(value)}"
        for name, value in pending.items()
    )
    listed = ", ".join(escape(change) for change in changes)
    return f'<p class="bim-change"><b>Waiting for a new network:</b> {listed}</p>'


def _shown(value: Any) -> str:
    return value_text(value) if value != "" else "none"
