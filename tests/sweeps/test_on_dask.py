"""Sweeps on a Dask cluster: workers killed, sweeps interrupted, the same file everywhere."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import xarray
from small_sweep import PASSING, small_plan

from bim_explorer import sweep
from bim_explorer.sweeps import open_sweep
from bim_explorer.sweeps.crew import SweepError, crew

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

#: 200 short runs.
AXES = {
    "balance": [0.0, 0.25, 0.5, 0.75, 1.0],
    "target_sparsity": [0.0, 0.3, 0.6, 0.9],
    "seed": list(range(10)),
}


def silent(standing):
    """Nobody looks."""


def equal(result, other):
    xarray.testing.assert_identical(
        result.dataset.drop_vars(PASSING), other.dataset.drop_vars(PASSING)
    )


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The 200 runs on this machine's own processes."""
    folder = tmp_path_factory.mktemp("sweeps") / "undisturbed"
    result = sweep(small_plan(AXES, updates=10), out=folder, workers=2, progress=silent)
    assert result.count("done") == 200
    return result


def ended(folder: Path) -> dict[str, int]:
    """When each finished run ended."""
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in folder.glob("*/outcome.json")
        if json.loads(path.read_text())["status"] == "done"
    }


def kill_a_worker_twice(cluster, folder, killed):
    for share in (0.25, 0.5):
        while len(list(folder.glob("*/outcome.json"))) < 200 * share:
            time.sleep(0.05)
        pid = cluster.workers[0].pid
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)
        while cluster.workers[0].pid in (pid, None):
            time.sleep(0.05)


def test_all_runs_are_there_though_a_worker_is_killed_twice(cluster, undisturbed, tmp_path):
    folder, killed = tmp_path / "study", []
    arguments = (cluster, folder, killed)
    threading.Thread(target=kill_a_worker_twice, args=arguments, daemon=True).start()
    address = cluster.scheduler_address
    result = sweep(small_plan(AXES, updates=10), out=folder, scheduler=address, progress=silent)
    assert len(set(killed)) == 2
    assert result.failed == []
    equal(result, undisturbed)


def test_an_interrupted_sweep_goes_on_and_runs_nothing_twice(cluster, undisturbed, tmp_path):
    def stop(standing):
        if standing.done >= 80:
            raise KeyboardInterrupt

    places = {"out": tmp_path / "study", "scheduler": cluster.scheduler_address}
    part = sweep(small_plan(AXES, updates=10), **places, progress=stop)
    before = ended(part.folder)
    assert part.stopped
    assert 80 <= len(before) < 200
    result = sweep(small_plan(AXES, updates=10), **places, progress=silent)
    after = ended(result.folder)
    assert {name: after[name] for name in before} == before
    equal(result, undisturbed)


def test_the_same_file_runs_here_on_dask_and_in_a_notebook(cluster, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    file = tmp_path / "study.json"
    file.write_text(json.dumps(small_plan(updates=20).to_json()))
    here = sweep(file, out=tmp_path / "here", workers=2, progress=silent)
    address = cluster.scheduler_address
    dask = sweep(file, out=tmp_path / "dask", scheduler=address, progress=silent)
    cell = f"from bim_explorer import sweep\nsweep({str(file)!r}, out={str(tmp_path / 'cell')!r})"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    cell_result = open_sweep(tmp_path / "cell")
    assert cell_result.count("done") == 4
    equal(dask, here)
    equal(cell_result, here)
    assert "4 done, 0 failed" in str(notebook.cells[0].outputs)


def test_a_scheduler_that_is_not_there_is_one_clear_line(monkeypatch):
    monkeypatch.setattr("bim_explorer.sweeps.crew.PATIENCE", "1s")
    complaint = "no Dask scheduler answers at tcp://127.0.0.1:1"
    with pytest.raises(SweepError, match=complaint), crew(None, "tcp://127.0.0.1:1"):
        pass
