"""What a session of the page knows and may do, without any Panel: the policy behind the widgets.

The session mirrors one run: `config` is what the controls show, `in_force` what the running
network has, or is about to take. A live parameter goes to the run at once; one that needs a new
network waits in `pending` until it is applied. Every step can be undone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import param

from bim_explorer.config import Config, read_preset
from bim_explorer.config.config import check_names, coerce
from bim_explorer.core.errors import RunError

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Steps that can be undone.
UNDO_STEPS = 100

#: Updates a second that the page offers; None is as fast as it can.
SPEEDS: dict[str, float | None] = {
    "max": None,
    "100 / s": 100.0,
    "30 / s": 30.0,
    "10 / s": 10.0,
    "3 / s": 3.0,
    "1 / s": 1.0,
}

Values = dict[str, Any]


class Session(param.Parameterized):
    """The state of one page and the run that it shows.

    Args:
        run: The run to show; its values in force are taken over.
        wanted: Values that the controls show at first: those that need a new network and differ
            from the run's wait in `pending`, the others are the run's own.
    """

    pending = param.Dict({}, doc="Values by name that wait for a new network.")
    can_undo = param.Boolean(False, doc="Whether there is a step to undo.")
    speed = param.Selector(default="max", objects=list(SPEEDS), doc="Pace of the updates.")
    starts = param.Integer(0, doc="New starts so far.")

    def __init__(self, run: RunClient, wanted: Mapping[str, Any] | None = None) -> None:
        held = (name for name, speed in SPEEDS.items() if speed == run.held_speed)
        super().__init__(speed=next(held, "max"))
        self.run = run
        self.in_force: Values = run.wished
        self.config = Config.from_values({**self.in_force, **_needing_rebuild(wanted or {})})
        self._past: deque[tuple[Values, Values]] = deque(maxlen=UNDO_STEPS)
        self.left_behind: Path | None = None
        self._refresh()

    @property
    def running(self) -> bool:
        """Whether the network learns on, or is about to."""
        return self.run.status in ("running", "starting", "restarting")

    def change(self, values: Mapping[str, Any]) -> None:
        """Take new values from the page: live ones act at once, the others wait.

        Raises:
            ConfigError: A name, type or range that does not fit; nothing has changed then.
            RunError: The run has ended, likewise.
        """
        check_names(values)
        checked = {name: coerce(name, value) for name, value in values.items()}
        changed = {name: value for name, value in checked.items() if value != self.shown(name)}
        if not changed:
            return
        before = self._moment()
        self.config.change(changed)
        try:
            self._send({name: value for name, value in changed.items() if Config.is_live(name)})
        except RunError:
            self.config.change(before[0])
            raise
        self._past.append(before)
        self._refresh()

    def shown(self, name: str) -> Any:
        """The value that the controls show."""
        return getattr(self.config, name)

    def apply(self) -> None:
        """Start a new run with everything that waits."""
        self._take(self.config.values())

    def discard(self) -> None:
        """Drop everything that waits."""
        self.change({name: self.in_force[name] for name in self.pending})

    def take_preset(self, name: str) -> None:
        """Start a new run from a preset.

        Raises:
            ConfigError: No such preset.
        """
        self._take(Config(preset=read_preset(name).name).values())

    def take_task(self, name: str) -> None:
        """Start a new run on another task, all other values as they are and no preset."""
        self._take(self.config.copy(task=name, preset="").values())

    def undo(self) -> None:
        """Go back to before the last change; one that built a new network builds the old anew."""
        if not self._past:
            return
        shown, in_force = self._past.pop()
        differing = {n: v for n, v in in_force.items() if v != self.in_force[n]}
        self.config.change(shown)
        if any(not Config.is_live(name) for name in differing):
            self._start(in_force, shown)
        else:
            self._send(differing)
        self._refresh()

    def toggle(self) -> None:
        """Run or pause."""
        if self.running:
            self.run.pause()
        else:
            self.run.resume()

    def step(self) -> None:
        """One update, then pause."""
        self.run.step()

    def reset(self) -> None:
        """Start the run anew: same values, same seed; what waits goes on waiting."""
        self._start(dict(self.in_force), self.config.values())

    @param.depends("speed", watch=True)
    def _set_speed(self) -> None:
        if self.run.standing:
            self.run.speed(SPEEDS[self.speed])

    def sync(self) -> None:
        """Take over what another page of the same run changed, or the run refused."""
        wished = self.run.wished
        news = {name: value for name, value in wished.items() if value != self.in_force[name]}
        if not news:
            return
        followed = {n: v for n, v in news.items() if self.shown(n) == self.in_force[n]}
        self.in_force.update(news)
        self.config.change(followed)
        self._refresh()
        if _needing_rebuild(news):
            self.left_behind = None
            self.starts += 1

    def _take(self, values: Values) -> None:
        self._past.append(self._moment())
        self._start(values)

    def _start(self, values: Values, shown: Values | None = None) -> None:
        """A new run with `values`; the controls show them, or what is `shown`."""
        folder = self.run.folder
        self.run.reset(values)
        self.in_force = dict(values)
        self.config.change(shown or values)
        self._refresh()
        self.left_behind = folder
        self.starts += 1

    def _send(self, values: Values) -> None:
        if values:
            self.run.set(values)
            self.in_force.update(values)

    def _moment(self) -> tuple[Values, Values]:
        return self.config.values(), dict(self.in_force)

    def _refresh(self) -> None:
        shown = _needing_rebuild(self.config.values())
        waiting = {n: v for n, v in shown.items() if v != self.in_force[n]}
        self.param.update(pending=waiting, can_undo=bool(self._past))


def _needing_rebuild(values: Mapping[str, Any]) -> Values:
    return {name: value for name, value in values.items() if not Config.is_live(name)}
