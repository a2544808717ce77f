"""Sweeps: what is tried again, what is reported, what goes on where it stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import nullcontext, suppress

import pytest
import xarray
from here_crew import HereCrew
from small_sweep import PASSING, run_here, small_config, small_plan

from bim_explorer import sweep
from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.sweeps import Plan
from bim_explorer.sweeps import sweep as sweeping
from bim_explorer.sweeps.crew import LocalCrew, SweepError, crew
from bim_explorer.sweeps.paths import SweepFolder
from bim_explorer.sweeps.runner import ATTEMPTS, run_plan
from bim_explorer.sweeps.work import prepare, warm_up


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return run_here(small_plan(), tmp_path_factory.mktemp("sweep")).drop_vars(PASSING)


@pytest.fixture
def here(monkeypatch):
    """Sweeps whose runs are done in this process; the workers of each call."""
    crews = []

    def make(workers, scheduler, deaths=()):
        crews.append(HereCrew(deaths))
        return nullcontext(crews[-1])

    monkeypatch.setattr(sweeping, "crew", make)
    return crews


def attempts_at(tmp_path, deaths):
    plan, workers = small_plan(), HereCrew(deaths)
    tmp_path.mkdir(exist_ok=True)
    with sweeping.opened(plan.to_json(), "sweep", tmp_path) as folder:
        assert run_plan(plan, folder, workers, lambda standing: None)
    return workers.did, sweeping.SweepResult(tmp_path)


def test_a_lost_run_is_done_again_and_comes_out_the_same(tmp_path, undisturbed):
    did, result = attempts_at(tmp_path, {1: ATTEMPTS - 1, 3: 1})
    assert did == {0: 1, 1: ATTEMPTS, 2: 1, 3: 2}
    assert result.failed == []
    assert result.table.attempts.tolist() == [1, ATTEMPTS, 1, 2]
    xarray.testing.assert_identical(result.dataset.drop_vars(PASSING), undisturbed)


def test_a_run_that_kills_every_worker_is_reported_and_the_others_are_done(tmp_path):
    did, result = attempts_at(tmp_path, {2: 99})
    assert did == {0: 1, 1: 1, 2: ATTEMPTS, 3: 1}
    (failure,) = result.failed
    assert failure.changes == {"balance": 1.0, "seed": 0}
    assert "its process was killed (attempt 3 of 3)" in failure.error
    assert failure.log.count("its process was killed") == ATTEMPTS
    assert result.complete
    assert result.count("done") == 3


def test_a_failed_run_is_tried_again_in_a_later_call(tmp_path, undisturbed):
    attempts_at(tmp_path, {2: 99})
    did, result = attempts_at(tmp_path, {})
    assert did == {2: 1}
    assert result.failed == []
    xarray.testing.assert_identical(result.dataset.drop_vars(PASSING), undisturbed)


def test_an_error_is_tried_again_too(tmp_path, here):
    axes = {"task": ["delayed-recall", "text"]}
    plan = Plan(small_config(data=str(tmp_path / "gone.txt")), axes, updates=10)
    result = sweep(plan, out=tmp_path / "sweep", progress=lambda standing: None)
    assert here[0].did == {0: 1, 1: ATTEMPTS}
    (failure,) = result.failed
    assert "gone.txt does not exist" in failure.error


def test_a_finished_sweep_runs_nothing_again(tmp_path, here, undisturbed):
    tell = []
    for _ in range(2):
        result = sweep(small_plan(), out=tmp_path / "sweep", progress=tell.append)
        xarray.testing.assert_identical(result.dataset.drop_vars(PASSING), undisturbed)
    assert sum(here[0].did.values()) == 4
    assert sum(here[1].did.values()) == 0
    assert (tell[-1].done, tell[-1].total, tell[-1].failed) == (4, 4, 0)


def test_a_sweep_that_is_stopped_goes_on_without_running_twice(tmp_path, here, undisturbed):
    def stop_at_three(standing):
        if standing.done == 3:
            raise KeyboardInterrupt

    part = sweep(small_plan(), out=tmp_path / "sweep", progress=stop_at_three)
    assert part.stopped
    assert part.count("done") == 3
    rest = sweep(small_plan(), out=tmp_path / "sweep", progress=lambda standing: None)
    assert not rest.stopped
    assert here[0].did + here[1].did == {0: 1, 1: 1, 2: 1, 3: 1}
    xarray.testing.assert_identical(rest.dataset.drop_vars(PASSING), undisturbed)


def test_progress_tells_what_came_out(tmp_path, here):
    tell = []
    sweep(small_plan(), out=tmp_path / "sweep", progress=tell.append)
    assert [standing.done for standing in tell] == [0, 1, 2, 3, 4]
    assert tell[0].left is None
    assert tell[2].left > 0
    newest = tell[-1].newest
    assert {"balance", "seed", "loss", "metrics", "run"} <= newest.keys()


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (small_plan({"balance": [0.0], "seed": [0, 1]}), "axes"),
        (small_plan(updates=30), "updates"),
        (Plan(small_config(delay=3), {"balance": [0.0, 1.0], "seed": [0, 1]}, updates=20), "delay"),
    ],
)
def test_a_folder_of_another_sweep_is_refused(tmp_path, here, other, named):
    with sweeping.opened(small_plan().to_json(), "sweep", tmp_path / "sweep"):
        pass
    with pytest.raises(ConfigError, match=f"holds another sweep, which differs in {named}"):
        sweep(other, out=tmp_path / "sweep")


def test_a_folder_of_something_else_is_refused(tmp_path, here):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="is not empty and holds no sweep"):
        sweep(small_plan(), out=tmp_path)


def test_a_sweep_in_use_is_refused(tmp_path, here, monkeypatch):
    monkeypatch.setattr("bim_explorer.store.lock.PATIENCE_SECONDS", 0.0)
    with (
        sweeping.opened(small_plan().to_json(), "sweep", tmp_path / "sweep"),
        pytest.raises(RunError, match="is being written by another process"),
    ):
        sweep(small_plan(), out=tmp_path / "sweep")


def test_a_plan_has_its_limits_already(tmp_path):
    with pytest.raises(ConfigError, match="a plan has its axes and limits already"):
        sweep(small_plan(), updates=3)


def test_workers_and_a_scheduler_exclude_each_other():
    with pytest.raises(ConfigError, match="give one of the two"), crew(2, "tcp://x:1"):
        pass


def test_a_missing_package_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    complaint = r"needs the package distributed: python -m pip install"
    with pytest.raises(SweepError, match=complaint), crew(None, "tcp://127.0.0.1:1"):
        pass


def test_processes_do_what_one_process_does_also_when_one_is_killed(tmp_path, undisturbed):
    """The default: real processes, one of which is shot as soon as it has done a run."""
    shot = []
    workers = LocalCrew(2)

    def shoot(standing):
        if standing.done == 1 and not shot:
            shot.append(min(workers._pids))
            with suppress(ProcessLookupError):
                os.kill(shot[0], signal.SIGKILL)

    plan = small_plan()
    with sweeping.opened(plan.to_json(), "sweep", tmp_path) as folder:
        assert run_plan(plan, folder, workers, shoot)
    workers.close()
    assert shot
    result = sweeping.SweepResult(tmp_path)
    assert result.failed == []
    xarray.testing.assert_identical(result.dataset.drop_vars(PASSING), undisturbed)


def test_a_worker_is_warm_and_has_one_thread(monkeypatch):
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    prepare()
    assert os.environ["OMP_NUM_THREADS"] == os.environ["NUMBA_NUM_THREADS"] == "1"
    assert warm_up() == os.getpid()


def test_the_plan_in_the_folder_is_a_sweep_file(tmp_path):
    with sweeping.opened(small_plan().to_json(), "sweep", tmp_path / "sweep"):
        path = SweepFolder(tmp_path / "sweep").plan
    assert Plan(path).to_json() == small_plan().to_json() == json.loads(path.read_text())
