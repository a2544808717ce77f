"""The runs of a search as a plan: not crossed but tried one by one, along the dimension `trial`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bim_explorer.core.errors import RunError
from bim_explorer.store.reader import RunReader
from bim_explorer.sweeps.axes import Grid
from bim_explorer.sweeps.paths import SweepFolder
from bim_explorer.sweeps.plan import Cell, Plan

TRIAL = "trial"


class Trials(Plan):
    """What a search has tried so far.

    Args:
        plan: The search's base, axes and limits.
        tried: Values on the axes, by the trial's number.
    """

    def __init__(self, plan: Plan, tried: Mapping[int, Mapping[str, Any]]) -> None:
        self.__dict__.update(plan.__dict__)
        self.sizes = {TRIAL: len(tried)}
        self.cells = tuple(
            Cell(number, (i,), dict(changes)) for i, (number, changes) in enumerate(tried.items())
        )

    @classmethod
    def read(cls, plan: Plan, folder: SweepFolder) -> Trials:
        """What the run folders of a search say."""
        tried: dict[int, dict[str, Any]] = {}
        for path in sorted(folder.path.glob("[0-9]*/config.json")):
            try:
                values = RunReader(path.parent).values
            except RunError:
                continue
            tried[int(path.parent.name)] = {name: values[name] for name in plan.axes}
        return cls(plan, tried)

    def coordinates(self) -> dict[str, tuple[str, list[Any]]]:
        """The trials' numbers, and the values of every axis along them."""
        numbers = [cell.index for cell in self.cells]
        axes = {name: (TRIAL, [cell.changes[name] for cell in self.cells]) for name in self.axes}
        return {TRIAL: (TRIAL, numbers), **axes}

    @property
    def size(self) -> str:
        """How many trials, and of what."""
        axes = ", ".join(
            f"{name} ({len(axis.values)})"
            if isinstance(axis, Grid)
            else f"{name} ({axis.low:g} to {axis.high:g})"
            for name, axis in self.axes.items()
        )
        return f"{len(self)} trials of {axes}"
