"""The plan of a sweep: which runs there are, looked at before any of them is started.

    runs = grid axes × draws of the random axes (together)

A run's config is what its base would be had the axis values been given in the first place: what a
preset derives from another value (the memory of `recall` from its delay) follows that value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from bim_explorer.config import Config, preset_names, read_preset
from bim_explorer.core.errors import ConfigError
from bim_explorer.sweeps.axes import DRAW, Grid, Random, axis_to_json, checked_axes, draws
from bim_explorer.sweeps.files import read_sweep_file

FORMAT = 1
#: Seconds of a run if neither updates nor seconds are given, as in training.
DEFAULT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a plan.

    Attributes:
        index: Its number, from 0; its folder is named after it.
        where: Its position along each dimension.
        changes: Its values on the axes.
    """

    index: int
    where: tuple[int, ...]
    changes: dict[str, Any]


class Plan:
    """What a sweep runs.

    Args:
        base: A config, the name of a preset, or the path of a sweep file; None for the defaults.
        axes: By parameter: a sequence of values, `uniform(…)` or `log_uniform(…)`. They come on
            top of those of a sweep file.
        updates: Updates of each run.
        seconds: Time of each run; without both, a minute.

    Attributes:
        base: The config that the axes change; a run computes with one thread unless told.
        axes: The axes, their values checked.
        updates: Updates of each run, or None.
        seconds: Time of each run, or None.
        sizes: Length of each dimension, by name, in the order of the axes.

    Raises:
        ConfigError: A file that cannot be read, an unknown name, a value that does not fit.

    Example:
        >>> len(Plan("recall", {"balance": [0, 0.5, 1], "seed": range(4)}, updates=200))
        12
    """

    def __init__(
        self,
        base: Config | str | Path | None = None,
        axes: Mapping[str, Any] | None = None,
        *,
        updates: int | None = None,
        seconds: float | None = None,
    ) -> None:
        given = _given(base)
        self.base = given["base"]
        self.axes = checked_axes({**given.get("axes", {}), **(axes or {})})
        limits = (updates, seconds)
        if limits == (None, None):
            limits = (given.get("updates"), given.get("seconds"))
        self.updates, self.seconds = _checked_limits(*limits)
        if self.base.threads == 0 and "threads" not in self.axes:
            self.base.threads = 1
        self.sizes = _sizes(self.axes)
        self._explicit = explicit_values(self.base)
        for name, axis in self.axes.items():  # a value may contradict the others
            for value in axis.values if isinstance(axis, Grid) else (axis.low, axis.high):
                self.config({name: value})

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All runs, the last axis changing fastest."""
        drawn = {
            name: draws(name, axis, self.base.seed)
            for name, axis in self.axes.items()
            if isinstance(axis, Random)
        }
        places = product(*(range(size) for size in self.sizes.values()))
        return tuple(
            Cell(index, where, self._changes(dict(zip(self.sizes, where, strict=True)), drawn))
            for index, where in enumerate(places)
        )

    @property
    def turn(self) -> list[Cell]:
        """The runs in the order in which they start: a picture of all, then the next seed."""
        if "seed" not in self.sizes:
            return list(self.cells)
        seed = list(self.sizes).index("seed")
        return sorted(self.cells, key=lambda cell: cell.where[seed])

    def config(self, changes: Mapping[str, Any]) -> Config:
        """The config of a run.

        Raises:
            ConfigError: Values that contradict each other.
        """
        return Config(**{**self._explicit, **changes})

    def coordinates(self) -> dict[str, tuple[str, list[Any]]]:
        """Dimension and values of every axis, as a Dataset takes them."""
        values: dict[str, tuple[str, list[Any]]] = {}
        for name, axis in self.axes.items():
            if isinstance(axis, Random):
                values[name] = (DRAW, list(draws(name, axis, self.base.seed)))
            else:
                values[name] = (name, list(axis.values))
        return (
            {DRAW: (DRAW, list(range(self.sizes[DRAW]))), **values}
            if DRAW in self.sizes
            else values
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as a sweep file holds it: `Plan(path)` of it is the same plan."""
        return {
            "format": FORMAT,
            "values": self.base.values(),
            "axes": {name: axis_to_json(axis) for name, axis in self.axes.items()},
            "updates": self.updates,
            "seconds": self.seconds,
        }

    @property
    def size(self) -> str:
        """How many runs, and of what: `12 runs = balance (3) × seed (4), 200 updates each`."""
        axes = " × ".join(f"{self._label(name)} ({n})" for name, n in self.sizes.items())
        limits = [f"{self.updates} updates"] if self.updates else []
        limits += [f"{self.seconds:g} s"] if self.seconds else []
        runs = f"{len(self)} run{'s' if len(self) != 1 else ''}"
        return f"{' = '.join(filter(None, [runs, axes]))}, {' or '.join(limits)} each"

    def describe(self, workers: int | None = None, probe: bool = True) -> str:
        """The plan for people: size, axes, estimated time.

        Args:
            workers: Processes that run side by side; None takes the machine's cores.
            probe: Time a few runs for a moment; otherwise no time is told.
        """
        from bim_explorer.sweeps.estimate import estimate

        width = max(map(len, self.axes), default=0)
        lines = [self.size]
        for name, (_, values) in self.coordinates().items():
            if name != DRAW:
                lines.append(f"  {name:<{width}}  {_shown(values)}")
        return "\n".join([*lines, *([estimate(self, workers).text] if probe else [])])

    def _label(self, dimension: str) -> str:
        random = [name for name, axis in self.axes.items() if isinstance(axis, Random)]
        return " & ".join(random) if dimension == DRAW else dimension

    def _changes(self, where: Mapping[str, int], drawn: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: axis.values[where[name]] if isinstance(axis, Grid) else drawn[name][where[DRAW]]
            for name, axis in self.axes.items()
        }


def explicit_values(config: Config) -> dict[str, Any]:
    """What `config` was given, as far as it matters: `Config(**explicit_values(c))` equals `c`.

    What its preset derives from other values is left out as long as it is what is derived.
    """
    values = config.values()
    if not config.preset:
        plain = Config().values()
        return {name: value for name, value in values.items() if value != plain[name]}
    per = read_preset(config.preset).per
    plain = Config(preset=config.preset).values()
    given = {n: v for n, v in values.items() if n not in per and v != plain[n]}
    given = {"preset": config.preset, **given}
    derived = Config(**given).values()
    return given | {name: values[name] for name in per if values[name] != derived[name]}


def _given(base: Config | str | Path | None) -> dict[str, Any]:
    if isinstance(base, Config):
        return {"base": Config.from_values(base.values())}
    if base is None:
        return {"base": Config()}
    if isinstance(base, str) and base in preset_names():
        return {"base": Config(preset=base)}
    return read_sweep_file(Path(base))


def _checked_limits(updates: int | None, seconds: float | None) -> tuple[int | None, float | None]:
    for name, limit in (("updates", updates), ("seconds", seconds)):
        number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if limit is not None and not (number and limit > 0):
            raise ConfigError(f"{name} must be > 0, got {limit!r}")
    if updates is not None and updates != int(updates):
        raise ConfigError(f"updates must be a whole number, got {updates}")
    if updates is None and seconds is None:
        seconds = DEFAULT_SECONDS
    return (None if updates is None else int(updates)), (
        None if seconds is None else float(seconds)
    )


def _sizes(axes: Mapping[str, Grid | Random]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, axis in axes.items():
        if isinstance(axis, Random):
            sizes[DRAW] = axis.n
        else:
            sizes[name] = len(axis.values)
    return sizes


def _shown(values: list[Any], most: int = 12) -> str:
    texts = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values[:most]]
    return ", ".join([*texts, *(["…"] if len(values) > most else [])])
