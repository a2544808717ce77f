"""The service with the engine that it is made for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.core.plugins import VARIABLE, use_plugins
from bim_explorer.service.client import RunClient
from bim_explorer.store.reader import RunReader

STILL = """
from bim_explorer.functional.local_rule import LocalRule

BIM_EXPLORER = {"rules": {"still": "Still"}}


class Still(LocalRule):
    def __init__(self, values):
        pass

    def start(self, pre, post):
        return {}

    def term(self, pre, post, keep, weights, state):
        return 0.0 * weights, {}
"""


def small(preset: str, **values: Any) -> dict[str, Any]:
    """A preset on a network that a test can afford."""
    return Config(preset=preset, d_model=12, d_state=4, batch=4, threads=1, **values).values()


def undisturbed(reader: RunReader, updates: int) -> dict[str, np.ndarray]:
    """All state after so many updates in this process, live changes at their updates."""
    from bim_explorer.training.experiment import Experiment

    experiment, changes = Experiment(reader.values), reader.changes()
    while experiment.update < updates:
        while changes and changes[0][0] <= experiment.update + 1:
            experiment.apply(changes.pop(0)[1])
        experiment.advance()
    return experiment.state()[0]


def follow(client: RunClient, wait, updates: int) -> None:
    wait(lambda: client.status == "failed" or client.update >= updates, seconds=120)
    assert client.status == "running", client.message


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[RunClient]:
    """One client for all tests here: a worker takes one run after the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIM_RUNS", str(tmp_path_factory.mktemp("runs")))
        client = RunClient()
        yield client
        client.stop()
        client.join(30)


def test_data_that_is_missing_is_told_and_the_worker_takes_the_next_run(
    client, wait, tmp_path: Path
) -> None:
    client.start(small("text", data=str(tmp_path / "nowhere.txt")))
    wait(lambda: client.status == "failed", seconds=120)
    assert "nowhere.txt does not exist" in client.message
    client.start(small("recall"))
    follow(client, wait, 1)


def test_snapshots_fill_what_a_page_draws(client, wait) -> None:
    client.start(small("recall", delay=5))
    follow(client, wait, 40)
    wait(lambda: len(client.history.curve("metric")[0]) and client.history.pairs)
    columns, _ = client.history.raster_since(0)
    assert len(columns) == sum(rows for _, rows in client.history.raster_groups)
    assert columns.any()
    assert {"loss", "metric", "sparsity", "steps_per_second"} <= client.latest.figures.keys()
    client.pause()
    wait(lambda: client.status == "paused")
    kept = RunReader(client.folder).curves()
    assert set(kept) >= {"loss", "metric", "sparsity", "firing_rate", "validation"}
    for name in ("loss", "metric"):
        assert np.array_equal(kept[name][1], client.history.curve(name)[1])


def test_a_baseline_and_a_users_own_rule_run_in_the_worker(
    wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "still.py"
    file.write_text(STILL, encoding="utf-8")
    monkeypatch.setenv("BIM_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv(VARIABLE, raising=False)
    use_plugins(file)
    client = RunClient()
    try:
        client.start(small("recall", delay=5, rule="still", balance=0.0))
        follow(client, wait, 20)
        wait(lambda: client.history.pairs)
        assert client.history.pairs.pair_scale == 0.0
        assert not client.history.pairs.total.any()
        client.start(small("recall", delay=5, model="gru"))
        follow(client, wait, 20)
        wait(lambda: len(client.history.curve("loss")[0]))
        assert client.history.raster_groups == (("input", 64),)
        assert RunReader(client.folder).info["plugins"] == {}
    finally:
        client.stop()
        client.join(30)


@pytest.mark.skipif(os.name == "nt", reason="kills by a POSIX signal")
def test_a_killed_engine_ends_bit_for_bit_as_if_nothing_had_happened(client, wait) -> None:
    client.start(small("half", target_sparsity=0.5))
    follow(client, wait, 25)
    client.set({"learning_rate": 1e-3})
    follow(client, wait, client.update + 20)
    client.checkpoint()
    follow(client, wait, client.update + 20)
    client.set({"credit": "truncated", "balance": 0.75})
    wait(lambda: len(client.history.marks) == 2)
    died = client.update
    os.kill(client.pid, signal.SIGKILL)
    wait(lambda: client.restarts == 1 and client.status == "running", seconds=120)
    assert "went on from its checkpoint at update" in client.message
    follow(client, wait, died + 20)
    client.stop()
    client.join(30)

    reader = RunReader(client.folder)
    rows = [row["update"] for row in reader.metrics()]
    assert rows == list(range(10, client.update + 1, 10))
    assert len(client.history.marks) == 2
    arrays, _ = reader.checkpoint("last")
    expected = undisturbed(reader, client.update)
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(arrays[name], array), name
