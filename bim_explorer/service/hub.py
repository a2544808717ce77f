"""The runs of one server process, shared by its sessions, and one warm worker for the next run.

A run outlives the page that started it. Where the cap is reached, a paused run that nobody
watches makes room: it is stopped with its checkpoint and can be opened again.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bim_explorer.core.errors import RunError
from bim_explorer.core.machine import resolve_threads
from bim_explorer.core.plugins import plugin_paths
from bim_explorer.service.client import RunClient
from bim_explorer.service.process import WorkerProcess
from bim_explorer.service.worker import RECORDER

MAX_RUNS = 4
IDLE_SECONDS = 600.0
#: Seconds after which a used spare is replaced: a starting run has the machine to itself so long.
SPARE_SECONDS = 40.0


class Hub:
    """Starts runs, finds them again, and ends them with the server.

    Args:
        max_runs: Runs that may go at once.
        idle_seconds: A run that nobody watches for so long pauses itself.
        recorder: What workers train with, as "module:attribute".
    """

    def __init__(
        self,
        max_runs: int = MAX_RUNS,
        idle_seconds: float = IDLE_SECONDS,
        recorder: str = RECORDER,
    ) -> None:
        self._max_runs = max_runs
        self._idle_seconds = idle_seconds
        self._recorder = recorder
        self._lock = threading.RLock()
        self._clients: dict[str, RunClient] = {}
        self._closed = False
        self._refill: threading.Timer | None = None
        self._spare: WorkerProcess | None = None
        self._fill()

    @property
    def runs(self) -> list[RunClient]:
        """The runs of now, the oldest first; finished and failed ones too."""
        with self._lock:
            return list(self._clients.values())

    def start(
        self, values: Mapping[str, Any], out: str | Path | None = None, paused: bool = False
    ) -> RunClient:
        """Start a new run; see `RunClient.start`.

        Raises:
            RunError: As many runs as the server allows are going.
            ConfigError: A value that cannot be used.
        """
        with self._lock:
            client = self._client()
            client.start(values, out, paused)
            self._clients[client.id] = client
            return client

    def open(self, folder: str | Path) -> RunClient:
        """Go on with a run folder, or join the run that has it open.

        Raises:
            RunError: It is no run folder, or as many runs as the server allows are going.
        """
        with self._lock:
            for client in self._clients.values():
                same = client.folder and client.folder.resolve() == Path(folder).resolve()
                if same and client.standing:
                    return client
            client = self._client()
            client.open(folder)
            self._clients[client.id] = client
            return client

    def get(self, id: str) -> RunClient | None:
        """The run of that id; None if this server has none."""
        with self._lock:
            return self._clients.get(id)

    def close(self) -> None:
        """Stop all runs, each with its last checkpoint, and wait for it."""
        with self._lock:
            self._closed = True
            clients, self._clients = list(self._clients.values()), {}
            spare, self._spare = self._spare, None
            if self._refill is not None:
                self._refill.cancel()
        for client in clients:
            client.stop()
        if spare is not None:
            spare.ask_to_end()
            spare.wait()
        for client in clients:
            client.join()

    def _client(self) -> RunClient:
        if self._closed:
            raise RunError("This server is closing: no run can be started.")
        self._make_room()
        return RunClient(self._worker, self._idle_seconds)

    def _make_room(self) -> None:
        self._clients = {id: run for id, run in self._clients.items() if run.standing}
        if len(self._clients) < self._max_runs:
            return
        for id, run in self._clients.items():
            if run.status == "paused" and not run.watchers:
                run.stop()
                del self._clients[id]
                return
        raise RunError(
            f"{self._max_runs} runs are going, as many as this server allows: stop one first."
        )

    def _worker(self, threads: int) -> WorkerProcess:
        with self._lock:
            spare = self._spare
            wanted = (threads, plugin_paths())
            if spare is None or not spare.alive or (spare.threads, spare.plugins) != wanted:
                return WorkerProcess(threads, self._recorder)
            self._spare = None
            self._refill = threading.Timer(SPARE_SECONDS, self._fill)
            self._refill.daemon = True
            self._refill.start()
            return spare

    def _fill(self) -> None:
        with self._lock:
            if not self._closed and self._spare is None:
                self._spare = WorkerProcess(resolve_threads(0), self._recorder, warm=True)


_shared: Hub | None = None
_sharing = threading.Lock()


def shared_hub() -> Hub:
    """The hub of this server process, made when first asked for and closed at its exit."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = Hub()
            atexit.register(_shared.close)
        return _shared
