"""Tasks: streams of input spikes and targets in numpy, behind the `Task` protocol. No torch.

A task class is built as `TaskClass(values)`. Beside the protocol it has, for lists that must
not open data, the class attributes `title`, `synthetic` and `reads` (what its `data` setting
takes, empty if nothing) and the class method `describe(values)` (its provenance sentence).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bim_explorer.core.interfaces import Task
from bim_explorer.core.registries import TASKS

__all__ = ["TASKS", "build_task", "describe", "task_titles"]


def build_task(values: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> Task:
    """The task that `values` ask for.

    Args:
        values: All flat parameter values.
        state: What an earlier task's `state()` said; the new one goes on from there. Given
            before the network is built, it also brings the classes that a run was made with.

    Raises:
        ConfigError: An unknown task, or values it cannot work with.
        DataError: Data that is missing or unreadable, or not what `state` was taken on.
    """
    task = TASKS.load(values["task"])(values)
    if state is not None:
        task.load_state(state)
    return task


def task_titles() -> dict[str, str]:
    """Title of every known task by its name."""
    return {name: TASKS.load(name).title for name in TASKS.names()}


def describe(values: Mapping[str, Any]) -> tuple[str, bool]:
    """Where the data of `values` comes from, and whether it is synthetic, opening none of it."""
    task = TASKS.load(values["task"])
    # Tasks on records are synthetic for want of data alone, which their class cannot tell.
    return task.describe(values), getattr(task, "synthetic", not values["data"])
