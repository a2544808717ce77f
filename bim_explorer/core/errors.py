"""The errors a user can cause, each one clear sentence that names the remedy.

They are raised where the fault is noticed and caught only at the borders (command line,
worker, page), which show the sentence and keep the traceback in the log.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BimError(Exception):
    """Any fault that a user can mend; its text is shown as it is."""


class ConfigError(BimError, ValueError):
    """A parameter, a preset or a value that cannot be used."""


class DataError(BimError):
    """A file or a folder of data that is missing, empty or unreadable."""


class RunError(BimError):
    """A run folder that is missing, incomplete or of another version."""


class DivergenceError(BimError):
    """Learning has left its bounds; the text says what grew and which setting made it."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is no known `kind`, with the nearest names first, then all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"unknown {kind} {name!r}{hint} Known: {', '.join(names)}."
