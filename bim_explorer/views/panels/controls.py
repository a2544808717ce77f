"""The sidebar's cards: a control for every parameter, built from the parameter alone.

A card is a section of the config, a control follows from a parameter's type, bounds and doc; a
new parameter needs no line here. The controls mirror the session's config and hand what the user
entered to the session; what it refuses is told in one sentence, and the control goes back.

All of them are one component, drawn in the browser: a page of as many stock widgets costs the
server two seconds of work each time it is opened, and this a hundredth of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from bim_explorer.config import Config
from bim_explorer.views import theme
from bim_explorer.views.panels.border import attempt
from bim_explorer.views.panels.scales import scale_of
from bim_explorer.views.state import Session

#: Parameters that the selectors above the cards stand for.
ON_TOP = ("task", "preset")
#: Sections that are open at first: what acts on the running network.
OPEN = ("Learning rule", "STDP window", "Pruning")


class Controls(JSComponent):
    """All cards of the sidebar.

    Args:
        session: What the controls mirror and change.
    """

    sections = param.List([], constant=True, doc="Cards and their controls, as `describe` has it.")
    values = param.Dict({}, doc="What the controls show.")
    pending = param.List([], doc="Names of the parameters that wait for a new network.")

    _esm = Path(__file__).parent.parent / "assets" / "controls.js"

    def __init__(self, session: Session, **params: Any) -> None:
        super().__init__(
            sections=[describe(title, names) for title, names in Config.sections()],
            css_classes=["bim-controls"],
            stylesheets=[theme.stylesheet("controls")],
            **{**theme.STACK, **params},
        )
        self._session = session
        self._show()
        session.config.param.watch(self._show, Config.names())
        session.param.watch(self._show, "pending")

    def _show(self, *_: Any) -> None:
        session = self._session
        self.param.update(values=session.config.values(), pending=list(session.pending))

    def _handle_msg(self, data: dict[str, Any]) -> None:
        shown = self.values
        attempt(lambda: self._session.change({data["name"]: data["value"]}))
        if self.values is shown:
            self._send_msg({"unchanged": data["name"]})


def describe(title: str, names: list[str]) -> dict[str, Any]:
    """A card as the browser draws it."""
    controls = [describe_control(name) for name in names if name not in ON_TOP]
    return {"title": title, "open": title in OPEN, "controls": controls}


def describe_control(name: str) -> dict[str, Any]:
    """A control as the browser draws it, from its parameter's type, bounds and doc."""
    parameter = Config.param[name]
    kind, details = _kind(parameter, Config.is_live(name))
    return {
        "name": name,
        "kind": kind,
        "label": parameter.label,
        "doc": parameter.doc,
        "live": Config.is_live(name),
        **details,
    }


def _kind(parameter: param.Parameter, live: bool) -> tuple[str, dict[str, Any]]:
    if isinstance(parameter, param.Boolean):
        return "switch", {"warns": "as_printed" in str(parameter.name)}
    if isinstance(parameter, param.Integer) and not live:
        return "integer", {}
    if isinstance(parameter, param.Number):
        return "number", scale_of(parameter)
    if isinstance(parameter, param.Selector):
        return "choice", {"options": list(parameter.objects)}
    return "text", {}
