"""Runs on the stand-in engine, in real processes, and waiting for what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fake_engine import RECORDER

from bim_explorer.config import Config
from bim_explorer.service.client import RunClient
from bim_explorer.service.process import WorkerProcess

WAIT_SECONDS = 30.0


def until(what: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Wait for something to come true, not longer than needed."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


@pytest.fixture
def wait() -> Callable[..., None]:
    return until


@pytest.fixture
def values() -> dict[str, object]:
    return Config(preset="recall").values()


@pytest.fixture
def make_client(tmp_path: Path, monkeypatch) -> Iterator[Callable[..., RunClient]]:
    monkeypatch.setenv("BIM_RUNS", str(tmp_path / "runs"))
    clients: list[RunClient] = []

    def make(recorder: str = RECORDER, **options) -> RunClient:
        clients.append(RunClient(partial(WorkerProcess, recorder=recorder), **options))
        return clients[-1]

    yield make
    for client in clients:
        client.stop()
    for client in clients:
        client.join()


@pytest.fixture
def client(make_client) -> RunClient:
    return make_client()
