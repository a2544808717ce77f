"""A search: what is asked for, what is pruned, what goes on."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from here_crew import HereCrew
from small_sweep import small_config

from bim_explorer.core.errors import ConfigError
from bim_explorer.sweeps import log_uniform, open_sweep, search, searching, uniform, work
from bim_explorer.sweeps.crew import SweepError

pytest.importorskip("optuna")

AXES = {
    "learning_rate": log_uniform(1e-4, 1e-1, 1),
    "balance": [0.0, 1.0],
    "delay": uniform(1, 3, 1),
}


@pytest.fixture
def here(monkeypatch):
    """Trials are run in this process."""
    crews = []

    def make(workers, scheduler):
        crews.append(HereCrew())
        return nullcontext(crews[-1])

    monkeypatch.setattr(searching, "crew", make)
    return crews


def silent(standing):
    """Nobody looks."""


def test_a_search_tries_values_of_its_ranges(here, tmp_path):
    result = search(small_config(), AXES, trials=5, updates=10, out=tmp_path, progress=silent)
    data = result.dataset
    assert dict(data.sizes) == {"trial": 5, "update": 1}
    assert np.all((data.learning_rate >= 1e-4) & (data.learning_rate <= 1e-1))
    assert set(data.balance.values) <= {0.0, 1.0}
    assert set(data.delay.values) <= {1, 2, 3}
    assert len(set(data.learning_rate.values)) == 5
    assert np.isfinite(data.final_validation.values).all()
    assert open_sweep(tmp_path).dataset.equals(data)


def test_one_worker_and_one_seed_give_the_same_trials(here, tmp_path):
    first, second = (
        search(small_config(), AXES, trials=3, updates=10, out=tmp_path / name, progress=silent)
        for name in ("a", "b")
    )
    assert first.dataset.learning_rate.equals(second.dataset.learning_rate)


def test_a_search_goes_on_with_its_folder_and_with_more_trials(here, tmp_path):
    for trials in (2, 2, 4):
        result = search(
            small_config(), AXES, trials=trials, updates=10, out=tmp_path, progress=silent
        )
    assert [sum(crew.did.values()) for crew in here] == [2, 0, 2]
    assert len(result.table) == 4


def test_a_trial_that_was_stopped_goes_on_first(here, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "LOOK_SECONDS", 0.0)
    asked = []

    def stop(standing):
        asked.append(standing.done)
        if len(asked) == 2:
            (tmp_path / ".stop").touch()  # as an interruption leaves it: the next trial stops
        if len(asked) == 3:
            raise KeyboardInterrupt

    part = search(small_config(), AXES, trials=3, updates=40, out=tmp_path, progress=stop)
    assert part.stopped
    assert part.count("stopped") == 1
    (left,) = [record for record in part.records if record.status == "stopped"]
    result = search(small_config(), AXES, trials=3, updates=40, out=tmp_path, progress=silent)
    assert result.count("done") == 3
    assert left.cell.changes in [record.cell.changes for record in result.records]
    assert len({str(record.cell.changes) for record in result.records}) == 3


def test_a_bad_trial_is_given_up_early(here, tmp_path, monkeypatch):
    """Real runs of which the later ones learn nothing are measured against the others' median."""
    import optuna

    monkeypatch.setattr(work, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(optuna.trial.Trial, "should_prune", lambda trial: trial.number >= 2)
    monkeypatch.setattr(HereCrew, "submit", submit_and_watch)
    result = search(small_config(), AXES, trials=4, updates=60, out=tmp_path, progress=silent)
    assert result.table.status.tolist() == ["done", "done", "pruned", "pruned"]
    assert result.failed == []


def submit_and_watch(crew, task, job):
    """Run a third of it, and the rest when the search has had a look at that."""
    task(replace(job, updates=20))
    crew.did[int(job.folder[-4:])] += 1
    future = Future()
    threading.Timer(1.5, lambda: future.set_result(task(job))).start()
    return future


def test_a_search_wants_a_range(tmp_path):
    with pytest.raises(ConfigError, match="a search wants at least one axis"):
        search(small_config(), {}, trials=3, out=tmp_path)
    with pytest.raises(ConfigError, match="trials must be ≥ 1, got 0"):
        search(small_config(), AXES, trials=0, out=tmp_path)


def test_a_missing_package_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SweepError, match=r"a search needs the package optuna: python -m pip"):
        search(small_config(), AXES, trials=3)
