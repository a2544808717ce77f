"""The browser's part of the page: keys, the address bar and the clipboard.

It shows nothing; it must be laid out once on a page that owns its browser tab.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from bim_explorer.views import theme

#: Keys of the page, and what each does.
SHORTCUTS = {
    "Space": "run or pause",
    "s": "one single step",
    "z": "undo the last change",
    "?": "this help",
}


class Browser(JSComponent):
    """Keys come in as `pressed`, the query goes out to the address, links to the clipboard."""

    keys = param.List(list(SHORTCUTS), constant=True, doc="Keys that the page takes.")
    drawer = param.Integer(theme.DRAWER, constant=True, doc="Width below which it is narrow [px].")
    narrow = param.Boolean(False, doc="Whether the page is narrow.")
    query = param.String("", doc="What the address shows after its path.")
    pressed = param.Callable(None, doc="Called with the key, one of `SHORTCUTS`.")
    copied = param.Callable(None, doc="Called with the link, and whether it could be copied.")

    _rename: ClassVar[Mapping[str, str | None]] = {"pressed": None, "copied": None}

    _esm = Path(__file__).parent.parent / "assets" / "browser.js"

    def copy(self, query: str) -> None:
        """Put the page's address with another query on the clipboard."""
        self._send_msg({"copy": query})

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if "key" in data and self.pressed:
            self.pressed(data["key"])
        elif "link" in data and self.copied:
            self.copied(data["link"], bool(data.get("done")))
