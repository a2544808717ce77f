"""One Dataset of all runs: where every figure stands, and that it comes back from the disk."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray
from small_sweep import run_here, small_config, small_plan

from bim_explorer.core.errors import RunError
from bim_explorer.store.reader import RunReader
from bim_explorer.sweeps import Plan, open_sweep, uniform
from bim_explorer.sweeps.scores import LOWER_IS_BETTER, higher_is_better
from bim_explorer.sweeps.sweep import opened
from bim_explorer.training.metrics import METRICS

AXES = {"credit": ["exact", "truncated"], "as_printed_pruning": [False, True], "seed": [0, 3]}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder, plan = tmp_path_factory.mktemp("sweep"), small_plan(AXES)
    with opened(plan.to_json(), "sweep", folder):
        run_here(plan, folder)
    result = open_sweep(folder)
    result.save()
    return result


def test_every_run_stands_in_its_place(swept):
    data = swept.dataset
    assert dict(data.sizes) == {"credit": 2, "as_printed_pruning": 2, "seed": 2, "update": 2}
    for credit in ("exact", "truncated"):
        cell = data.sel(credit=credit, as_printed_pruning=True, seed=3)
        reader = RunReader(str(cell.run.values))
        assert (reader.values["credit"], reader.values["seed"]) == (credit, 3)
        assert cell.loss.values.tolist() == [row["loss"] for row in reader.metrics()]
        assert cell["update"].values.tolist() == [10, 20]
    assert set(data.status.values.ravel()) == {"done"}


def test_the_dataset_comes_back_from_the_disk(swept):
    again = open_sweep(swept.folder)
    assert again.paths.dataset.exists()
    xarray.testing.assert_identical(again.dataset, swept.dataset)
    assert again.dataset.attrs["metric"] == "accuracy"
    assert again.dataset.as_printed_pruning.dtype == bool
    assert [type(value) for value in again.dataset.credit.values.tolist()] == [str, str]


def test_the_table_has_a_row_a_run_and_finds_its_folder(swept):
    table = swept.table
    assert len(table) == 8
    row = table[(table.credit == "truncated") & table.as_printed_pruning & (table.seed == 0)]
    (folder,) = row.run
    outcome = json.loads((Path(folder) / "outcome.json").read_text())
    assert float(row.loss.iloc[0]) == outcome["loss"]
    assert float(row.validation.iloc[0]) == outcome["metrics"]["accuracy"]
    assert "credit,as_printed_pruning,seed,status" in swept.paths.table.read_text()


def test_random_axes_are_coordinates_of_the_draws(tmp_path):
    plan = small_plan({"balance": uniform(0, 1, 2), "learning_rate": uniform(0, 0.1, 2)})
    data = run_here(plan, tmp_path)
    assert data.loss.dims == ("draw", "update")
    assert data.balance.dims == data.learning_rate.dims == ("draw",)
    assert data.balance.values.tolist() == [cell.changes["balance"] for cell in plan.cells]


def test_what_is_not_there_yet_is_nan(tmp_path):
    plan = small_plan()
    with opened(plan.to_json(), "sweep", tmp_path):
        run_here(small_plan({"balance": [0.0], "seed": [0]}), tmp_path)  # the first run alone
    part = open_sweep(tmp_path)
    assert not part.complete
    assert part.count("done") == 1
    assert np.isfinite(part.dataset.final_loss.values).sum() == 1
    assert part.table.status.tolist() == ["done", "waiting", "waiting", "waiting"]
    assert math.isnan(part.table.loss[1])


def test_failures_are_told_with_their_logs(tmp_path):
    plan = Plan(small_config(task="text"), {"data": ["", str(tmp_path / "gone.txt")]}, updates=10)
    with opened(plan.to_json(), "sweep", tmp_path / "sweep"):
        run_here(plan, tmp_path / "sweep")
    (failure,) = open_sweep(tmp_path / "sweep").failed
    assert failure.changes == {"data": str(tmp_path / "gone.txt")}
    assert "gone.txt does not exist" in failure.error
    assert "Traceback" in failure.log
    assert failure.folder.name == "0001"


def test_tasks_of_several_metrics_share_a_dataset(tmp_path):
    plan = Plan(small_config(), {"task": ["delayed-recall", "text"]}, updates=10)
    data = run_here(plan, tmp_path)
    assert data.attrs["metric"] == "accuracy, bits_per_character"
    assert np.isfinite(data.final_validation.values).all()
    assert np.isfinite(data.accuracy.sel(task="text")).sum() == 0


def test_a_folder_without_a_sweep_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no sweep folder"):
        open_sweep(tmp_path)


def test_a_damaged_dataset_says_so(swept, tmp_path):
    from bim_explorer.sweeps.table import load_dataset

    (tmp_path / "dataset.nc").write_bytes(b"CDF torn")
    with pytest.raises(RunError, match="is damaged"):
        load_dataset(tmp_path / "dataset.nc")
    with pytest.raises(RunError, match="has not ended yet"):
        load_dataset(tmp_path / "gone.nc")


def test_directions_are_those_of_training():
    assert {name for name in METRICS if not higher_is_better(name)} == LOWER_IS_BETTER - {"loss"}
