"""Names to objects, loaded when first asked for; others add theirs by entry points or a file.

A registry line is `"name": "module:attribute"`, so listing names imports nothing. Beside the
built-in ones stand the entry points of installed packages and the user's own files (`plugins`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bim_explorer.core.errors import ConfigError, unknown_name
from bim_explorer.core.plugins import VARIABLE, Plugin, plugins


class Registry:
    """A lazy table of one kind of thing.

    Args:
        kind: What it holds, for messages ("task").
        lines: `name: "module:attribute"` of the built-in entries.
        group: Entry-point group that other packages may add to, `bim_explorer.` and the group of
            a plugin's line.
    """

    def __init__(self, kind: str, lines: Mapping[str, str], group: str) -> None:
        self.kind = kind
        self.built_in = tuple(lines)
        self._lines = dict(lines)
        self._group = group

    @cached_property
    def _external(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self._group)}

    def names(self) -> list[str]:
        """Known names, the built-in ones first, in the order they were written.

        Raises:
            ConfigError: A plugin that cannot be read, or takes a name that is built in.
        """
        return list(dict.fromkeys([*self._lines, *self._external, *dict(self._of_plugins())]))

    def load(self, name: str) -> Any:
        """The object of that name.

        Raises:
            ConfigError: No such name; the text lists the known ones.
        """
        if name in self._lines:
            module, _, attribute = self._lines[name].partition(":")
            return getattr(import_module(module), attribute)
        source = self.source(name)
        if isinstance(source, Plugin):
            return source.load(source.lines[self._key][name])
        if source is not None:
            return source.load()
        raise ConfigError(self.unknown(name))

    def source(self, name: str) -> Plugin | EntryPoint | None:
        """Where a name that is not built in comes from."""
        if name in self._lines:
            return None
        return dict(self._of_plugins()).get(name) or self._external.get(name)

    def unknown(self, name: str) -> str:
        """What to say of a name that nobody knows."""
        known = unknown_name(self.kind, name, self.names())
        return f"{known} A file of your own is found by {VARIABLE}=FILE.py."

    @property
    def _key(self) -> str:
        return self._group.removeprefix("bim_explorer.")

    def _of_plugins(self) -> Iterator[tuple[str, Plugin]]:
        for plugin in plugins():
            for name in plugin.lines.get(self._key, {}):
                if name in self._lines:
                    raise ConfigError(
                        f"{plugin.path} names a {self.kind} {name!r}, which is built in: "
                        "choose another name"
                    )
                yield name, plugin
