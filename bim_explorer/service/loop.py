"""The worker's loop: commands between two updates, updates at their pace, snapshots as they may.

    commands → live changes, merged into one → an update if one is due → a snapshot if one may pass

It waits on its pipe alone, while paused and between slow updates too, so a command acts at once.
One thread does everything: whatever touches the experiment happens between two updates.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bim_explorer.core.errors import BimError, DivergenceError, RunError
from bim_explorer.service.channel import Channel, ParentGoneError
from bim_explorer.service.messages import Command, Ended, Failed, Notice, Opened, Shown
from bim_explorer.service.pace import Pace, Shutter
from bim_explorer.store.paths import new_run_folder
from bim_explorer.store.writer import run_label

if TYPE_CHECKING:
    from bim_explorer.training.recorder import Recorder

log = logging.getLogger(__name__)

#: Longest wait for a command; a signal to end is noticed after it at the latest.
IDLE_SECONDS = 1.0


class Loop:
    """One worker's life: a run at a time, until told to stop.

    Args:
        channel: The pipe to the parent.
        recorder_type: Makes, resumes and keeps runs.
    """

    def __init__(self, channel: Channel, recorder_type: type[Recorder]) -> None:
        self._channel = channel
        self._recorder_type = recorder_type
        self._recorder: Recorder | None = None
        self._pace = Pace()
        self._shutter = Shutter()
        self._changes: dict[str, Any] = {}
        self._diverged = False
        self._message = ""
        self._over = False
        self._orders: dict[str, Callable[..., None]] = {
            "start": self._start,
            "open": self._open,
            "pause": self._pause,
            "resume": self._resume,
            "step": self._step,
            "speed": self._pace.limit,
            "checkpoint": self._checkpoint,
            "stop": self._stop,
        }

    def run(self) -> None:
        """Serve until stopped, told to end, or left alone; the run's folder is closed then."""
        try:
            while not self._over:
                try:
                    self._turn()
                except ParentGoneError:
                    raise
                except Exception as error:
                    self._fail(error)
        except ParentGoneError:
            log.info("the parent is gone")
        try:
            self._close()
        except RunError as error:
            log.error("%s", error)

    def end(self) -> None:
        """Leave the loop after this turn; safe in a signal handler."""
        self._over = True

    def _turn(self) -> None:
        commands = self._channel.receive(self._patience())
        if commands:
            self._channel.start_heart()
        for command in commands:
            self._obey(command)
        self._change()
        now = time.monotonic()
        if self._recorder is not None and self._pace.wait(now) <= 0:
            self._advance(self._recorder)
            self._pace.done(now)
        if self._recorder is not None and self._shutter.wait(time.monotonic()) <= 0:
            self._show(self._recorder, self._status)

    def _patience(self) -> float:
        now = time.monotonic()
        return min(self._pace.wait(now), self._shutter.wait(now), IDLE_SECONDS)

    @property
    def _status(self) -> str:
        if self._diverged:
            return "diverged"
        return "running" if self._pace.active else "paused"

    def _obey(self, command: Command) -> None:
        if command.name == "seen":
            self._shutter.seen()
        elif command.name == "set":
            self._changes |= command.arguments[0]
        else:
            self._change()
            self._orders[command.name](*command.arguments)
            self._shutter.news()

    def _start(
        self, values: dict[str, Any], out: str | None, root: str | None, paused: bool
    ) -> None:
        """A new run in the folder `out`, in a new one in `root`, or where runs live."""
        self._leave()
        folder = Path(out) if out else None
        if root:
            folder = new_run_folder(Path(root), run_label(values))
        recorder = self._recorder_type.open(values, folder)
        self._enter(recorder, paused)
        recorder.checkpoint()

    def _open(self, folder: str, paused: bool) -> None:
        self._leave()
        self._enter(self._recorder_type.resume(Path(folder)), paused)

    def _leave(self) -> None:
        self._pace.pause()
        try:
            self._close()
        except RunError as error:
            self._channel.send(Notice(str(error)))

    def _enter(self, recorder: Recorder, paused: bool) -> None:
        self._recorder = recorder
        self._diverged, self._message = False, ""
        if not paused:
            self._pace.run()
        experiment = recorder.experiment
        folder = str(recorder.writer.folder)
        self._channel.send(Opened(folder, experiment.update, dict(experiment.values)))

    def _pause(self) -> None:
        if self._pace.active:
            self._pace.pause()
            self._log("pause")
            self._checkpoint()

    def _resume(self) -> None:
        self._diverged, self._message = False, ""
        if not self._pace.running:
            self._pace.run()
            self._log("resume")

    def _step(self, n: int) -> None:
        self._diverged, self._message = False, ""
        self._pace.step(n)

    def _checkpoint(self) -> None:
        if self._recorder is None or self._diverged:
            return
        try:
            self._recorder.checkpoint()
        except RunError as error:
            self._channel.send(Notice(str(error)))

    def _stop(self) -> None:
        self._log("stop")
        if self._recorder is not None:
            self._show(self._recorder, "finished")
        self._leave()
        self._channel.send(Ended())
        self._over = True

    def _change(self) -> None:
        changes, self._changes = self._changes, {}
        if not changes or self._recorder is None:
            return
        try:
            self._recorder.change(changes)
        except BimError as error:
            refused = () if isinstance(error, RunError) else tuple(changes)
            self._channel.send(Notice(str(error), refused))
        self._shutter.news()

    def _advance(self, recorder: Recorder) -> None:
        try:
            recorder.advance()
        except DivergenceError as error:
            self._pace.pause()
            self._diverged, self._message = True, str(error)
            self._log("diverged", {"message": str(error)})
        except RunError as error:
            # the update stands, only its record does not: nothing is lost as long as we wait
            self._pace.pause()
            self._message = f"{error} The run is paused: make room, then run on."
        self._shutter.news()

    def _show(self, recorder: Recorder, status: str) -> None:
        self._channel.send(Shown(recorder.experiment.snapshot(status, self._message)))
        self._shutter.passed(time.monotonic())

    def _log(self, kind: str, values: dict[str, Any] | None = None) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.writer.event(self._recorder.experiment.update, kind, values or {})
        except RunError as error:
            self._channel.send(Notice(str(error)))

    def _fail(self, error: Exception) -> None:
        recorder, self._recorder = self._recorder, None
        self._pace.pause()
        if isinstance(error, BimError):
            message = str(error)
        else:
            log.exception("the engine failed")
            at = f" at update {recorder.experiment.update}" if recorder else ""
            message = f"The engine failed{at}: {type(error).__name__}: {error}"
        if recorder is not None:
            recorder.writer.close()
        self._channel.send(Failed(message))

    def _close(self) -> None:
        """Close the run's folder, with a last checkpoint unless its state is no good."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        try:
            if not self._diverged:
                recorder.checkpoint()
        finally:
            recorder.writer.close()
