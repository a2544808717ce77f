"""The one flat configuration: source for widgets, URL, presets, `--set`, events and sweep axes.

A config holds values and their bounds, nothing else; it refuses names it does not know and
ranges that contradict each other, and goes to and from JSON-able dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import param

from bim_explorer.config.event_driven import check_event_driven
from bim_explorer.config.presets import read_preset
from bim_explorer.config.registered import Registered
from bim_explorer.config.sections import (
    REBUILD,
    SECTIONS,
    MachineSection,
    NetworkSection,
    PruningSection,
    RuleSection,
    StdpSection,
    TaskSection,
)
from bim_explorer.core.errors import ConfigError, unknown_name
from bim_explorer.core.plugins import VARIABLE

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Config(TaskSection, RuleSection, StdpSection, PruningSection, NetworkSection, MachineSection):
    """Every flat parameter of a run, bounded and documented.

    Args:
        **values: Flat parameters; all others keep their defaults.

    Raises:
        ConfigError: An unknown name, a value of the wrong type or out of range.

    Example:
        >>> Config(preset="recall", delay=200).delay
        200
    """

    def __init__(self, **values: Any) -> None:
        check_names(values)
        checked = {name: coerce(name, value) for name, value in values.items()}
        super().__init__()
        self.change(_with_preset(checked) if checked.get("preset") else checked)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self.param:
            raise ConfigError(unknown_name("parameter", name, self.names()))
        super().__setattr__(name, value)

    @classmethod
    def names(cls) -> list[str]:
        """All flat parameter names, in the order of the sidebar."""
        return [name for _, names in cls.sections() for name in names]

    @classmethod
    def sections(cls) -> list[tuple[str, list[str]]]:
        """Title and parameter names of every section of the sidebar."""
        return [(title, _own_names(section)) for title, section in SECTIONS]

    @classmethod
    def is_live(cls, name: str) -> bool:
        """Whether a change acts on the running network, rather than on a new one."""
        return name not in REBUILD

    def values(self) -> dict[str, Any]:
        """All values by name, JSON-able."""
        return {name: getattr(self, name) for name in self.names()}

    def change(self, values: Mapping[str, Any]) -> None:
        """Set several parameters at once, all or none.

        Raises:
            ConfigError: An unknown name, a value of the wrong type or out of range.
        """
        check_names(values)
        try:
            checked = {name: coerce(name, value) for name, value in values.items()}
            _check_together({**self.values(), **checked})
            self.param.update(**checked)
        except ValueError as error:
            raise error if isinstance(error, ConfigError) else ConfigError(str(error)) from error

    def copy(self, **values: Any) -> Self:
        """A new config with some values changed."""
        twin = type(self)()
        twin.change({**self.values(), **values})
        return twin

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """The config of `values` as they are, its preset's name kept but not read again."""
        config = cls()
        config.change(values)
        return config


def check_names(values: Mapping[str, Any]) -> None:
    """Refuse names that no parameter has.

    Raises:
        ConfigError: The text lists the known names.
    """
    for name in values:
        if name not in Config.param or name == "name":
            raise ConfigError(unknown_name("parameter", name, Config.names()))


def coerce(name: str, value: Any) -> Any:
    """Bring a value, or the text of one, to the type and into the bounds of its parameter.

    Raises:
        ConfigError: `name must be …, got …`.
    """
    parameter = Config.param[name]
    if isinstance(parameter, param.Boolean):
        return _boolean(name, value)
    if isinstance(parameter, param.Integer):
        return _bounded(name, _number(name, value, whole=True))
    if isinstance(parameter, param.Number):
        return _bounded(name, _number(name, value, whole=False))
    if isinstance(parameter, Registered):
        if not parameter.knows(value):
            hint = f"A file of your own is found by {VARIABLE}=FILE.py."
            raise ConfigError(f"{_one_of(name, parameter, value)}. {hint}")
        return value
    if isinstance(parameter, param.Selector):
        if value not in parameter.objects:
            raise ConfigError(_one_of(name, parameter, value))
        return value
    return str(value)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read `key=value`, as `--set` takes it.

    Raises:
        ConfigError: No `=`, an unknown key, or a value that does not fit.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set wants key=value, got {text!r}")
    check_names({name.strip(): value})
    return name.strip(), coerce(name.strip(), value.strip())


def _with_preset(changes: Mapping[str, Any]) -> dict[str, Any]:
    preset = read_preset(changes["preset"])
    values = preset.changed(changes)
    for name in preset.per.keys() - changes.keys():
        low, high = Config.param[name].bounds
        values[name] = min(max(values[name], low), high)
    return values


def _own_names(section: type[param.Parameterized]) -> list[str]:
    return [name for name in vars(section) if name in section.param and name != "name"]


def _one_of(name: str, parameter: param.Selector, value: Any) -> str:
    known = ", ".join(map(str, parameter.objects))
    return f"{name} must be one of {known}; got {value!r}"


def _boolean(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ConfigError(f"{name} must be true or false, got {value!r}")


def _number(name: str, value: Any, whole: bool) -> float | int:
    kind = "a whole number" if whole else "a number"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{name} must be {kind}, got {value!r}") from None
    if number != number or (whole and not number.is_integer()):
        raise ConfigError(f"{name} must be {kind}, got {value!r}")
    return int(number) if whole else number


def _bounded(name: str, value: float | int) -> float | int:
    low, high = Config.param[name].bounds
    if value < low:
        raise ConfigError(f"{name} must be ≥ {low}, got {value}")
    if value > high:
        raise ConfigError(f"{name} must be ≤ {high}, got {value}")
    return value


def _check_together(values: Mapping[str, Any]) -> None:
    check_event_driven(values)
    if values["delta_min"] > values["delta_max"]:
        raise ConfigError(
            f"delta_min must be ≤ delta_max, got {values['delta_min']} > {values['delta_max']}"
        )
    if values["code_active"] > values["code_size"]:
        raise ConfigError(
            f"code_active must be ≤ code_size, got {values['code_active']} > {values['code_size']}"
        )
