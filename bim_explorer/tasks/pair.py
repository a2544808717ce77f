"""Two tasks as one: what learning them at once and one after the other have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bim_explorer.core.errors import ConfigError

if TYPE_CHECKING:
    from bim_explorer.core.interfaces import Task

#: The parameters that name the two, in their order.
PLACES = ("first", "second")
#: Tasks made of two others, which are no parts themselves.
PAIRS = ("joint", "continual")


def build_parts(values: Mapping[str, Any]) -> tuple[Task, Task]:
    """The two tasks that `first` and `second` name, each on its own default data.

    Raises:
        ConfigError: They are one task, or one of them is itself made of two.
    """
    from bim_explorer.tasks import build_task

    names = _names(values)
    if {*PAIRS} & {*names} or names[0] == names[1]:
        got = " and ".join(names)
        raise ConfigError(f"first and second must be two other tasks, got {got}.")
    first, second = (build_task({**values, "task": name, "data": ""}) for name in names)
    return first, second


def told(values: Mapping[str, Any]) -> tuple[str, str]:
    """Title and origin of each part, such as `Digits (Synthetic: …)`."""
    from bim_explorer.tasks import TASKS

    parts = [TASKS.load(name) for name in _names(values)]
    origins = [part.describe({**values, "data": ""}).rstrip(".") for part in parts]
    first, second = (f"{p.title} ({origin})" for p, origin in zip(parts, origins, strict=True))
    return first, second


def _names(values: Mapping[str, Any]) -> list[str]:
    return [str(values[place]) for place in PLACES]
