"""A parameter whose choices are a registry's names: built-in ones, and those that others add.

The names are looked up when they are asked for, so a user's own file is known at once, and
importing a config looks for none.
"""

from __future__ import annotations

from typing import Any

import param
from param.parameters import ListProxy

from bim_explorer.core.registry import Registry


class Registered(param.Selector):
    """A selector over the names of a registry.

    Args:
        registry: Where the names come from.
        before: Choices that stand before them, such as "auto".
        **params: Of any parameter.
    """

    __slots__ = ["_registry"]

    def __init__(self, registry: Registry, before: tuple[str, ...] = (), **params: Any) -> None:
        object.__setattr__(self, "_registry", registry)
        super().__init__(objects=[*before, *registry.built_in], check_on_set=True, **params)

    @property
    def objects(self) -> ListProxy:
        """All choices, as they are now."""
        return ListProxy(dict.fromkeys([*self._objects, *self._registry.names()]), self)

    @objects.setter
    def objects(self, objects: dict[str, Any] | list[Any]) -> None:
        self.names = {}
        self._objects = list(objects)

    def knows(self, value: Any) -> bool:
        """Whether it may be chosen; a built-in name is known without a look at anybody's file."""
        return value in self._objects or value in self.objects

    def _validate_value(self, value: Any, allow_None: bool | None = None) -> None:
        if value not in self._objects:
            super()._validate_value(value, allow_None)
