from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.core.machine import resolve_threads
from bim_explorer.store.reader import RunReader


def events(client, kind: str) -> list[dict]:
    return [event for event in RunReader(client.folder).events() if event["kind"] == kind]


def test_a_run_starts_and_shows_itself(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 10)
    assert client.status == "running"
    assert client.values == values
    updates, losses = client.history.curve("loss")
    assert list(updates) == list(range(1, len(updates) + 1))
    assert len(losses) == len(updates) > 10
    assert client.history.raster_end == client.latest.steps


def test_a_run_writes_its_folder(client, values, wait, tmp_path: Path) -> None:
    client.start(values, tmp_path / "mine")
    wait(lambda: client.update > 10)
    client.stop()
    client.join()
    assert client.status == "finished"
    assert client.folder == tmp_path / "mine"
    reader = RunReader(client.folder)
    rows = [row["update"] for row in reader.metrics()]
    assert rows == list(range(1, client.update + 1))
    assert reader.checkpoint("last")[1]["update"] == client.update
    assert [event["kind"] for event in reader.events()] == ["start", "stop"]


def test_the_worker_computes_with_the_threads_asked_for(client, values, wait) -> None:
    client.start({**values, "threads": 3}, paused=True)
    wait(lambda: client.latest)
    assert client.latest.figures["threads"] == 3
    assert RunReader(client.folder).info["threads"] == 3
    client.reset({"threads": 0})
    wait(lambda: client.latest)
    assert client.latest.figures["threads"] == resolve_threads(0)
    assert RunReader(client.folder).info["threads"] == resolve_threads(0)


def test_pause_holds_and_step_counts(client, values, wait) -> None:
    client.start(values, paused=True)
    wait(lambda: client.status == "paused")
    assert client.update == 0
    client.step()
    wait(lambda: client.update == 1)
    client.step(5)
    wait(lambda: client.update == 6)
    wait(lambda: client.status == "paused")
    client.resume()
    wait(lambda: client.update > 20)
    client.pause()
    wait(lambda: client.status == "paused")
    held = client.update
    time.sleep(0.3)
    assert client.update == held
    assert RunReader(client.folder).checkpoint("last")[1]["update"] == held


def test_a_paused_worker_sleeps_and_answers(client, values, wait) -> None:
    psutil = pytest.importorskip("psutil")
    client.start(values, paused=True)
    wait(lambda: client.status == "paused")
    process = psutil.Process(client.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(1.5)
    assert sum(process.cpu_times()[:2]) - before <= 0.05
    client.set({"balance": 0.25})
    wait(lambda: client.history.marks, seconds=1.0)
    assert client.values["balance"] == 0.25
    assert client.status == "paused"
    assert client.history.marks[0].update == 1


def test_a_change_acts_within_fifty_milliseconds(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 5)
    delays = []
    for number in range(10):
        asked = time.time()
        client.set({"balance": number / 10})
        wait(lambda number=number: len(client.history.marks) > number)
        logged = datetime.fromisoformat(events(client, "set")[-1]["at"]).timestamp()
        delays.append(logged - asked)
    assert min(delays) < 0.05


def test_a_change_acts_at_once_however_slow_the_run(client, values, wait) -> None:
    client.start(values, paused=True)
    client.speed(0.2)
    client.resume()
    wait(lambda: client.update == 1)
    asked = time.monotonic()
    client.set({"balance": 0.5})
    wait(lambda: client.history.marks)
    assert time.monotonic() - asked < 0.5


def test_a_drag_becomes_one_change(client, values, wait) -> None:
    client.start(values, paused=True)
    wait(lambda: client.status == "paused")
    os.kill(client.pid, signal.SIGSTOP)  # its commands queue up
    for number in range(1, 501):
        client.set({"balance": 0.5 * number / 500, "a_plus": 2.0})
    time.sleep(0.2)
    os.kill(client.pid, signal.SIGCONT)
    wait(lambda: client.values["balance"] == 0.5)
    assert len(events(client, "set")) < 50
    assert events(client, "set")[-1]["values"] == {"balance": 0.5, "a_plus": 2.0}
    assert [mark.update for mark in client.history.marks] == [1]


def test_the_speed_is_held(client, values, wait) -> None:
    client.start(values, paused=True)
    client.speed(20)
    client.resume()
    wait(lambda: client.update >= 1)
    begin, first = time.monotonic(), client.update
    time.sleep(1.0)
    rate = (client.update - first) / (time.monotonic() - begin)
    assert 14 <= rate <= 26
    client.speed(None)
    wait(lambda: client.update > 200)


def test_snapshots_come_at_twenty_hertz_at_most(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 5)
    wakes = []
    remove = client.subscribe(lambda: wakes.append(client.update))
    time.sleep(1.0)
    remove()
    assert 5 <= len(wakes) <= 22
    count = len(wakes)
    time.sleep(0.2)
    assert len(wakes) == count


def test_a_watcher_that_fails_does_not_keep_news_from_others(client, values, wait) -> None:
    news = threading.Event()
    client.subscribe(lambda: 1 / 0)
    client.subscribe(news.set)
    client.start(values)
    assert news.wait(20)


def test_reset_starts_anew_with_the_same_seed(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 60)
    first, losses = client.folder, client.history.curve("loss")[1]
    client.set({"balance": 0.5})
    client.reset()
    assert client.status == "starting"
    wait(lambda: client.folder != first and client.update > 20)
    again = client.history.curve("loss")[1]
    n = min(len(again), len(losses))
    assert np.array_equal(again[:n], losses[:n])
    assert client.values["balance"] == 0.5
    assert client.folder.parent == first.parent
    assert client.history.marks == ()
    client.reset({"seed": 5})
    wait(lambda: client.status == "running" and client.values["seed"] == 5)


def test_a_run_folder_is_gone_on_with(make_client, values, wait) -> None:
    first = make_client()
    first.start(values)
    wait(lambda: first.update > 30)
    first.set({"balance": 0.5})
    wait(lambda: first.history.marks)
    first.stop()
    first.join()
    client = make_client()
    client.open(first.folder, paused=True)
    wait(lambda: client.status == "paused")
    assert client.update == first.update
    assert client.values["balance"] == 0.5
    assert [mark.values for mark in client.history.marks] == [{"balance": 0.5}]
    for one, other in zip(client.history.curve("loss"), first.history.curve("loss"), strict=True):
        assert np.array_equal(one, other)


def test_a_stopped_run_can_be_opened_or_followed_by_another_at_once(client, values, wait) -> None:
    client.start(values)
    wait(lambda: client.update > 5)
    first = client.folder
    client.stop()
    client.open(first)
    wait(lambda: client.status == "running")
    assert client.folder == first
    client.stop()
    client.start(values)
    wait(lambda: client.status == "running" and client.update > 0)
    assert client.folder != first
    assert client.restarts == 0


def test_a_run_that_others_write_is_left_alone(make_client, values, wait) -> None:
    one, other = make_client(), make_client()
    one.start(values)
    wait(lambda: one.update > 5)
    other.open(one.folder)
    wait(lambda: other.status == "failed")
    assert "written by another process" in other.message
    other.start(values)
    wait(lambda: other.status == "running")


def test_values_that_do_not_fit_are_refused_where_they_are_asked_for(client, values) -> None:
    with pytest.raises(RunError, match="No run is going"):
        client.set({"balance": 0.5})
    client.start(values)
    with pytest.raises(ConfigError, match="balance must be ≤ 1"):
        client.set({"balance": 2.0})
    with pytest.raises(ConfigError, match="seed needs a new network"):
        client.set({"seed": 1})
    with pytest.raises(ConfigError, match="unknown parameter 'balnce'"):
        client.set({"balnce": 1})
    with pytest.raises(ConfigError, match="n must be ≥ 1"):
        client.step(0)
    with pytest.raises(ConfigError, match="must be > 0"):
        client.speed(0.0)
    with pytest.raises(RunError, match="no run folder"):
        client.open("/nowhere")


def test_nobody_watching_pauses_the_run(make_client, values, wait) -> None:
    client = make_client(idle_seconds=0.5)
    remove = client.subscribe(lambda: None)
    client.start(values)
    wait(lambda: client.update > 5)
    time.sleep(1.2)
    assert client.status == "running"
    remove()
    remove()
    wait(lambda: client.status == "paused", seconds=5)
    client.subscribe(lambda: None)
    assert "nobody watched" in client.message
    client.resume()
    wait(lambda: client.status == "running")
    assert client.message == ""


def test_a_reset_of_a_paused_run_waits_unless_nobody_asked_for_the_pause(
    make_client, values, wait
) -> None:
    client = make_client(idle_seconds=0.3)
    client.start(values)
    wait(lambda: client.status == "paused")
    client.subscribe(lambda: None)
    client.reset()
    wait(lambda: client.status == "running")
    client.pause()
    wait(lambda: client.status == "paused")
    client.reset()
    wait(lambda: client.latest)
    assert (client.status, client.update) == ("paused", 0)


def test_a_client_needs_no_torch_and_no_panel() -> None:
    script = (
        "import sys\n"
        "from bim_explorer.service import client, history, hub\n"
        "assert not {'torch', 'panel', 'bokeh', 'holoviews'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
