"""What was asked of a run: kept on this side of the pipe, so that it outlives a lost worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError


class Wishes:
    """Values, pause and speed as the user wants them, and which values are not in force yet.

    Attributes:
        paused: The run is to wait.
        speed: Updates a second; None is as fast as it can.
    """

    def __init__(self) -> None:
        self.paused = False
        self.speed: float | None = None
        self._config = Config()
        self._open: dict[str, Any] = {}

    def begin(self, values: Mapping[str, Any], paused: bool) -> None:
        """A run with these values is wanted."""
        self._config, self._open, self.paused = Config.from_values(values), {}, paused

    def values(self) -> dict[str, Any]:
        """All values, those in force and those asked for."""
        return self._config.values()

    def change(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for live changes; the values as the worker is to take them.

        Raises:
            ConfigError: A value that cannot be used, or one that needs a new network.
        """
        for name in values:
            if name in Config.param and not Config.is_live(name):
                raise ConfigError(f"{name} needs a new network: reset the run to change it.")
        self._config.change(values)
        checked = {name: getattr(self._config, name) for name in values}
        self._open |= checked
        return checked

    def refused(self, names: Iterable[str], in_force: Mapping[str, Any]) -> None:
        """The worker did not take these."""
        self._config.change({name: in_force[name] for name in names})
        self._open = {name: v for name, v in self._open.items() if name not in names}

    def opened(self, in_force: Mapping[str, Any]) -> None:
        """A run stands with these values."""
        self._config.change({**in_force, **self._open})

    def seen(self, in_force: Mapping[str, Any]) -> None:
        """These values are in force now."""
        self._open = {name: v for name, v in self._open.items() if in_force.get(name) != v}

    def unlogged(self, changes: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[str, Any]:
        """What no event of the run folder tells of, and its next worker will not replay."""
        logged = {name: value for _, values in changes for name, value in values.items()}
        self.seen(logged)
        return dict(self._open)
