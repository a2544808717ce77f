"""One run of a sweep: stopped, killed, diverging, and still what it would have been."""

from __future__ import annotations

import shutil
import time

import pytest
import xarray
from small_sweep import PASSING, job_of, run_here, small_config, small_plan

from bim_explorer.store.reader import RunReader
from bim_explorer.sweeps import work
from bim_explorer.sweeps.paths import SweepFolder, read_outcome, standing, stop_path
from bim_explorer.sweeps.plan import Plan
from bim_explorer.sweeps.table import build_dataset, read_records
from bim_explorer.training.train import train

PLAN = small_plan({"seed": [0]}, updates=60)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return run_here(PLAN, tmp_path_factory.mktemp("sweep")).drop_vars(PASSING)


@pytest.fixture
def impatient(monkeypatch):
    """A worker that looks for a wish to stop after every update."""
    monkeypatch.setattr(work, "LOOK_SECONDS", 0.0)


def dataset(folder):
    return build_dataset(PLAN, read_records(PLAN, SweepFolder(folder))).drop_vars(PASSING)


def test_a_run_of_a_sweep_is_what_training_alone_gives(tmp_path, undisturbed):
    result = train(small_config(threads=1), updates=60, out=tmp_path / "alone")
    rows = RunReader(tmp_path / "alone").metrics()
    assert undisturbed.loss.values[0].tolist() == [row["loss"] for row in rows]
    assert float(undisturbed.final_loss[0]) == result["loss"]
    assert float(undisturbed.final_firing_rate[0]) == result["firing_rate"]


def test_a_stopped_run_goes_on_as_if_nothing_had_been(tmp_path, impatient, undisturbed):
    job = job_of(PLAN, 0, tmp_path)
    stop = SweepFolder(tmp_path).stop
    stop.touch()
    told = [work.run_job(job) for _ in range(5)]
    assert {outcome["status"] for outcome in told} == {"stopped"}
    seconds = [outcome["seconds"] for outcome in told]
    assert seconds == sorted(seconds)
    stop.unlink()
    done = work.run_job(job)
    assert (done["status"], done["updates"]) == ("done", 60)
    events = [event["kind"] for event in RunReader(tmp_path / "0000").events()]
    assert events.count("restart") == 5
    xarray.testing.assert_identical(dataset(tmp_path), undisturbed)


def test_a_run_killed_before_its_first_checkpoint_starts_anew(tmp_path, undisturbed):
    run_here(small_plan({"seed": [0]}, updates=30), tmp_path)
    for path in (tmp_path / "0000").glob("*.safetensors"):
        path.unlink()
    (tmp_path / "0000" / "outcome.json").unlink()
    assert standing(tmp_path / "0000") == "running"
    run_here(PLAN, tmp_path)
    xarray.testing.assert_identical(dataset(tmp_path), undisturbed)


def test_a_damaged_checkpoint_starts_the_run_anew(tmp_path, undisturbed):
    run_here(small_plan({"seed": [0]}, updates=30), tmp_path)
    (tmp_path / "0000" / "last.safetensors").write_bytes(b"torn")
    run_here(PLAN, tmp_path)
    xarray.testing.assert_identical(dataset(tmp_path), undisturbed)


def test_one_run_alone_can_be_stopped(tmp_path, impatient):
    run_here(small_plan({"seed": [0]}, updates=10), tmp_path)
    stop_path(tmp_path / "0000").touch()
    assert work.run_job(job_of(PLAN, 0, tmp_path))["status"] == "pruned"


def test_learning_that_diverges_is_an_outcome_with_a_reason(tmp_path):
    wild = {"as_printed_update": True, "optimizer": "sgd", "learning_rate": 1.0, "seed": 1}
    plan = Plan(small_config(**wild), updates=3000)
    told = work.run_job(job_of(plan, 0, tmp_path))
    assert told["status"] == "diverged"
    assert "as printed adds the gradient" in told["error"]
    assert "Traceback" in (tmp_path / "0000" / "error.txt").read_text()
    assert read_outcome(tmp_path / "0000") == told


def test_a_run_that_cannot_be_says_why(tmp_path):
    plan = Plan(small_config(task="text", data=str(tmp_path / "gone.txt")), updates=3)
    told = work.run_job(job_of(plan, 0, tmp_path, attempt=2))
    assert (told["status"], told["attempts"]) == ("failed", 2)
    assert "gone.txt does not exist" in told["error"]
    assert standing(tmp_path / "0000") == "failed"


def test_time_limits_a_run_too(tmp_path):
    plan = Plan(small_config(), seconds=0.2)
    start = time.monotonic()
    told = work.run_job(job_of(plan, 0, tmp_path))
    assert told["status"] == "done"
    assert told["updates"] > 0
    assert time.monotonic() - start > 0.2
    # what was used up before counts
    shutil.copy(tmp_path / "0000" / "outcome.json", tmp_path / "kept.json")
    assert work.run_job(job_of(plan, 0, tmp_path))["updates"] == told["updates"]


def test_a_probe_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    costs = work.probe(small_config().values(), seconds=0.01)
    assert costs["update"] > 0
    assert costs["beside"] > 0
    assert list(tmp_path.iterdir()) == []
