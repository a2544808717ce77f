from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest
from fake_engine import RECORDER

from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.service import hub as hub_module
from bim_explorer.service.hub import Hub
from bim_explorer.store.reader import RunReader


@pytest.fixture
def make_hub(tmp_path: Path, monkeypatch) -> Iterator[Callable[..., Hub]]:
    monkeypatch.setenv("BIM_RUNS", str(tmp_path))
    hubs: list[Hub] = []

    def make(**options) -> Hub:
        hubs.append(Hub(recorder=RECORDER, **options))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.close()


def test_runs_are_found_again_by_their_id(make_hub, values, wait) -> None:
    hub = make_hub()
    one, other = hub.start(values), hub.start({**values, "seed": 1})
    assert one.id != other.id
    assert hub.get(one.id) is one
    assert hub.get("unknown") is None
    assert hub.runs == [one, other]
    wait(lambda: one.update > 5 and other.update > 5)


def test_a_run_takes_the_warm_worker_and_another_is_warmed(
    make_hub, values, wait, monkeypatch
) -> None:
    monkeypatch.setattr(hub_module, "SPARE_SECONDS", 0.2)
    strangers = {child.pid for child in active_children()}
    hub = make_hub()

    def workers() -> set[int | None]:
        return {child.pid for child in active_children()} - strangers

    (spare,) = workers()
    first = hub.start(values)
    assert first.pid == spare
    wait(lambda: len(workers()) == 2)
    (spare,) = workers() - {first.pid}
    assert hub.start(values).pid == spare


def test_a_worker_with_other_threads_is_made_for_the_run(make_hub, values, wait) -> None:
    client = make_hub().start({**values, "threads": 5})
    wait(lambda: client.latest)
    assert client.latest.figures["threads"] == 5


def test_the_cap_is_told_in_one_sentence(make_hub, values, wait) -> None:
    hub = make_hub(max_runs=2)
    runs = [hub.start(values), hub.start(values)]
    wait(lambda: all(run.status == "running" for run in runs))
    with pytest.raises(RunError, match="2 runs are going, as many as this server allows"):
        hub.start(values)
    runs[0].stop()
    runs[0].join()
    hub.start(values)
    assert runs[0] not in hub.runs


def test_a_paused_run_that_nobody_watches_makes_room(make_hub, values, wait) -> None:
    hub = make_hub(max_runs=2, idle_seconds=0.5)
    watched, left = hub.start(values), hub.start(values)
    watched.subscribe(lambda: None)
    wait(lambda: left.status == "paused" and watched.status == "running")
    third = hub.start(values)
    wait(lambda: left.status == "finished")
    assert hub.runs == [watched, third]
    third.subscribe(lambda: None)
    wait(lambda: third.status == "running")
    third.stop()
    third.join()
    again = hub.open(left.folder)
    wait(lambda: again.latest)
    assert again.update >= left.update


def test_opening_a_folder_that_is_open_joins_its_run(make_hub, values, wait) -> None:
    hub = make_hub()
    client = hub.start(values)
    wait(lambda: client.folder)
    assert hub.open(client.folder) is client


def test_a_start_that_is_refused_leaves_no_run(make_hub, values) -> None:
    hub = make_hub()
    with pytest.raises(ConfigError):
        hub.start({**values, "balance": 7})
    with pytest.raises(RunError):
        hub.open("/nowhere")
    assert hub.runs == []


def test_closing_ends_every_run_with_a_checkpoint(make_hub, values, wait) -> None:
    hub = make_hub()
    runs = [hub.start(values), hub.start(values)]
    wait(lambda: all(run.update > 5 for run in runs))
    hub.close()
    assert all(run.status == "finished" for run in runs)
    for run in runs:
        assert RunReader(run.folder).checkpoint("last")[1]["update"] == run.update
    with pytest.raises(RunError, match="closing"):
        hub.start(values)
