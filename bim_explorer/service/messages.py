"""What goes over the pipe between a client and its worker: commands down, reports up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bim_explorer.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Command:
    """An order to the worker, obeyed between two updates.

    Attributes:
        name: "start", "open", "set", "pause", "resume", "step", "speed", "checkpoint", "seen"
            (the last snapshot has arrived: another may come) or "stop".
        arguments: As the loop's method of that name takes them.
    """

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Alive:
    """The heartbeat."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A run stands, new or gone on with from its last checkpoint.

    Attributes:
        folder: Its run folder.
        update: Updates done.
        values: Parameter values in force.
    """

    folder: str
    update: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the run; no other comes before it was seen."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user; the run stands.

    Attributes:
        message: The sentence.
        refused: Names of the parameters that were not changed.
    """

    message: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The run cannot go on.

    Attributes:
        message: Why, in a sentence.
        fatal: The worker cannot take another run either.
    """

    message: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The run was stopped and its folder closed; the worker goes."""


Report = Alive | Opened | Shown | Notice | Failed | Ended
