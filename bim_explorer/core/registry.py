"""Names to objects, loaded when first asked for; other packages add theirs by entry points.

A registry line is `"name": "module:attribute"`, so listing names imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bim_explorer.core.errors import ConfigError, unknown_name


class Registry:
    """A lazy table of one kind of thing.

    Args:
        kind: What it holds, for messages ("task").
        lines: `name: "module:attribute"` of the built-in entries.
        group: Entry-point group that other packages may add to.
    """

    def __init__(self, kind: str, lines: Mapping[str, str], group: str) -> None:
        self.kind = kind
        self._lines = dict(lines)
        self._group = group

    @cached_property
    def _external(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self._group)}

    def names(self) -> list[str]:
        """Known names, the built-in ones first, in the order they were written."""
        return [*self._lines, *(name for name in self._external if name not in self._lines)]

    def load(self, name: str) -> Any:
        """The object of that name.

        Raises:
            ConfigError: No such name; the text lists the known ones.
        """
        if name in self._lines:
            module, _, attribute = self._lines[name].partition(":")
            return getattr(import_module(module), attribute)
        if name in self._external:
            return self._external[name].load()
        raise ConfigError(unknown_name(self.kind, name, self.names()))
