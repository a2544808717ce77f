"""The page's border to its user: faults become one clear sentence, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable

import panel as pn

from bim_explorer.core.errors import BimError

log = logging.getLogger(__name__)

#: How long a sentence stays on the page [ms].
SHORT, LONG = 5_000, 12_000


def tell(text: str, kind: str = "info") -> None:
    """Show a sentence in the page's corner; without a page it goes to the log.

    Args:
        text: What to say.
        kind: "info", "success", "warning" or "error".
    """
    area = pn.state.notifications
    if area is None:
        log.info("%s", text)
        return
    area.send(text, type=kind, duration=LONG if kind == "error" else SHORT)


def attempt(action: Callable[[], object]) -> bool:
    """Do what the user asked for; a fault of theirs is told, and False comes back."""
    try:
        action()
    except BimError as error:
        log.debug("refused", exc_info=True)
        tell(str(error), "error")
        return False
    return True
