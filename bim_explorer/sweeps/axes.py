"""Axes of a sweep: which values a parameter takes.

    grid      the values as they are given
    uniform   n draws from [low, high], evenly
    log       n draws from [low, high], evenly in their logarithm

A grid is crossed with all other axes. Random axes are drawn together, as in a random search: draw
i has the i-th value of each of them, so all have the same n. Draws follow from the base's seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import param

from bim_explorer.config import Config
from bim_explorer.config.config import check_names, coerce
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.seeding import generator

#: The dimension along which random axes lie.
DRAW = "draw"
_UNIFORM, _LOG = "uniform", "log_uniform"


@dataclass(frozen=True, slots=True)
class Grid:
    """Values in the order in which they are shown.

    Attributes:
        values: At least one; none twice.
    """

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Random:
    """Draws from a range.

    Attributes:
        low: Smallest value.
        high: Largest value.
        n: Number of draws.
        log: Whether the logarithm is what is drawn evenly.
    """

    low: float
    high: float
    n: int
    log: bool = False


Axis = Grid | Random


def uniform(low: float, high: float, n: int) -> Random:
    """An axis of `n` draws from `low` to `high`."""
    return Random(low, high, n)


def log_uniform(low: float, high: float, n: int) -> Random:
    """An axis of `n` draws from `low` to `high`, evenly over orders of magnitude."""
    return Random(low, high, n, log=True)


def checked_axes(axes: Mapping[str, Any] | None) -> dict[str, Axis]:
    """Axes with values of the right type, in their order.

    Args:
        axes: By parameter: an `Axis`, a sequence of values, or an axis as JSON holds it.

    Raises:
        ConfigError: An unknown parameter, a value that does not fit, an empty or a double axis.
    """
    given = dict(axes or {})
    check_names(given)
    if "preset" in given:
        raise ConfigError("preset is a starting point, no axis: make one sweep for each preset")
    checked = {name: _checked(name, axis) for name, axis in given.items()}
    counts = {name: axis.n for name, axis in checked.items() if isinstance(axis, Random)}
    if len(set(counts.values())) > 1:
        raise ConfigError(f"random axes are drawn together, so n must be one number; got {counts}")
    return checked


def axis_to_json(axis: Axis) -> list[Any] | dict[str, list[float]]:
    """An axis as a sweep file holds it."""
    if isinstance(axis, Grid):
        return list(axis.values)
    return {_LOG if axis.log else _UNIFORM: [axis.low, axis.high, axis.n]}


def parse_axis(text: str) -> tuple[str, Axis]:
    """Read an axis as `--axis` takes it.

    Args:
        text: `name=v1,v2,…`, `name=grid:low:high:n`, `name=uniform:low:high:n` or
            `name=log:low:high:n`.

    Raises:
        ConfigError: No such form, an unknown parameter, or a value that does not fit.
    """
    name, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not values:
        raise ConfigError(f"--axis wants name=v1,v2,… or name=log:low:high:n, got {text!r}")
    check_names({name: values})
    kind, *numbers = values.split(":")
    if kind not in ("grid", "uniform", "log", _LOG):
        return name, _checked(name, values.split(","))
    try:
        low, high, n = float(numbers[0]), float(numbers[1]), int(numbers[2])
        if len(numbers) != 3 or n < 1:
            raise ValueError
    except (ValueError, IndexError):
        raise ConfigError(
            f"--axis wants {name}={kind}:low:high:n with n ≥ 1, got {text!r}"
        ) from None
    if kind == "grid":
        return name, _checked(name, np.linspace(low, high, n))
    return name, _checked(name, Random(low, high, n, log=kind != "uniform"))


def draws(name: str, axis: Random, seed: int) -> tuple[Any, ...]:
    """The values of a random axis."""
    low, high = (math.log(end) if axis.log else end for end in (axis.low, axis.high))
    numbers = generator(seed, f"axis {name}").uniform(low, high, axis.n)
    values = np.exp(numbers) if axis.log else numbers
    whole = isinstance(Config.param[name], param.Integer)
    return tuple(coerce(name, round(value) if whole else float(value)) for value in values)


def _checked(name: str, axis: Any) -> Axis:
    if isinstance(axis, Mapping):
        axis = _from_json(name, axis)
    if isinstance(axis, Random):
        return _checked_range(name, axis)
    values = axis.values if isinstance(axis, Grid) else axis
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray | range):
        raise ConfigError(f"axis {name} must be a sequence of values, got {values!r}")
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    known = tuple(coerce(name, v.strip() if isinstance(v, str) else v) for v in plain)
    if not known:
        raise ConfigError(f"axis {name} must have at least one value, got none")
    double = [value for i, value in enumerate(known) if value in known[:i]]
    if double:
        raise ConfigError(f"axis {name} must have different values, got {double[0]!r} twice")
    return Grid(known)


def _checked_range(name: str, axis: Random) -> Random:
    if not isinstance(Config.param[name], param.Number) or isinstance(
        Config.param[name], param.Boolean
    ):
        raise ConfigError(f"axis {name} must be a list of values: only numbers can be drawn")
    if axis.n < 1:
        raise ConfigError(f"axis {name} must have n ≥ 1 draws, got {axis.n}")
    low, high = coerce(name, axis.low), coerce(name, axis.high)
    if low >= high:
        raise ConfigError(f"axis {name} must have low < high, got {low} and {high}")
    if axis.log and low <= 0:
        raise ConfigError(f"axis {name} must have low > 0 to be drawn in orders, got {low}")
    return Random(low, high, axis.n, axis.log)


def _from_json(name: str, axis: Mapping[str, Any]) -> Random:
    try:
        ((kind, (low, high, n)),) = axis.items()
        known = {_UNIFORM: False, _LOG: True}
        return Random(float(low), float(high), int(n), known[kind])
    except (ValueError, TypeError, KeyError):
        raise ConfigError(
            f"axis {name} must be a list, or {{{_UNIFORM!r}: [low, high, n]}} or "
            f"{{{_LOG!r}: [low, high, n]}}; got {dict(axis)!r}"
        ) from None
