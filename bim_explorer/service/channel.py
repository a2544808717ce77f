"""The worker's end of the pipe: commands in, reports and a heartbeat out."""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection

from bim_explorer.service.messages import Alive, Command, Report

#: Seconds between two heartbeats.
HEARTBEAT = 1.0


class ParentGoneError(Exception):
    """Nobody is at the other end of the pipe any more."""


class Channel:
    """A pipe to the parent that several threads may send on.

    Args:
        connection: The pipe.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start_heart(self) -> None:
        """Say from now on that this process is alive, however long an update takes."""
        if not self._heart.is_alive():
            self._heart.start()

    def send(self, report: Report) -> None:
        """Send a report.

        Raises:
            ParentGoneError: Nobody is there to read it.
        """
        try:
            with self._sending:
                self._connection.send(report)
        except OSError as error:
            raise ParentGoneError from error

    def receive(self, timeout: float) -> list[Command]:
        """All commands that have come, after waiting for the first one up to `timeout` seconds.

        Raises:
            ParentGoneError: None will come any more.
        """
        commands = []
        try:
            while self._connection.poll(0.0 if commands else timeout):
                commands.append(self._connection.recv())
        except (EOFError, OSError) as error:
            raise ParentGoneError from error
        return commands

    def _beat(self) -> None:
        try:
            while True:
                self.send(Alive())
                time.sleep(HEARTBEAT)
        except ParentGoneError:
            return
