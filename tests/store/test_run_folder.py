from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from bim_explorer.core.errors import RunError
from bim_explorer.core.machine import resolve_threads
from bim_explorer.store.paths import RunFolder
from bim_explorer.store.reader import RunReader, list_runs
from bim_explorer.store.writer import RunWriter


def row(update: int, **more: float | None) -> dict[str, float | int | None]:
    return {"update": update, "steps": update * 8, **more}


def written(values: dict[str, Any], out: Path, updates: int = 5) -> Path:
    writer = RunWriter.create(values, out)
    for update in range(1, updates + 1):
        writer.metrics(row(update, loss=1.0 / update, accuracy=0.5))
    writer.checkpoint("last", {"w": np.arange(3.0)}, {"update": 3})
    writer.close()
    return out


def test_a_run_folder_says_what_was_run_on_what(values, tmp_path: Path) -> None:
    info = RunReader(written(values, tmp_path / "run")).info
    assert info["values"] == values
    assert info["threads"] == resolve_threads(0) >= 1
    assert {"python", "torch", "numpy", "bim-explorer"} <= info["versions"].keys()
    assert info["created"].endswith("+00:00")


def test_a_new_run_is_named_after_its_preset_and_seed(values, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BIM_RUNS", str(tmp_path))
    writer = RunWriter.create(values)
    assert writer.folder.parent == tmp_path
    assert writer.folder.name.endswith("-recall-s3")
    writer.close()


def test_a_folder_in_use_is_not_written_over(values, tmp_path: Path) -> None:
    folder = written(values, tmp_path / "run")
    with pytest.raises(RunError, match="is not empty"):
        RunWriter.create(values, folder)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        RunWriter.create(values, tmp_path / "file")


def test_two_writers_never_share_a_folder(values, tmp_path: Path) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    with pytest.raises(RunError, match="another process"):
        RunWriter.reopen(writer.folder, 0)
    writer.close()
    RunWriter.reopen(writer.folder, 0).close()


def test_the_lock_ends_with_its_process(values, tmp_path: Path) -> None:
    script = (
        "import json, os, sys; from pathlib import Path\n"
        "from bim_explorer.store.writer import RunWriter\n"
        "RunWriter.create(json.loads(sys.argv[1]), Path(sys.argv[2])); os._exit(9)\n"
    )
    arguments = [json.dumps(values), str(tmp_path / "run")]
    subprocess.run([sys.executable, "-c", script, *arguments], check=False)
    RunWriter.reopen(tmp_path / "run", 0).close()


def test_a_resume_cuts_metrics_behind_the_checkpoint(values, tmp_path: Path) -> None:
    folder = written(values, tmp_path / "run")
    with RunFolder(folder).metrics.open("ab") as file:
        file.write(b'{"update": 6, "ste')
    writer = RunWriter.reopen(folder, 3)
    writer.metrics(row(4))
    writer.close()
    assert [r["update"] for r in RunReader(folder).metrics()] == [1, 2, 3, 4]


def test_a_resume_keeps_the_events_and_adds_its_own(values, tmp_path: Path) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    writer.event(7, "set", {"balance": 0.5})
    writer.close()
    with RunFolder(writer.folder).events.open("ab") as file:
        file.write(b'{"upd')
    RunWriter.reopen(writer.folder, 3).close()
    kinds = [(event["update"], event["kind"]) for event in RunReader(writer.folder).events()]
    assert kinds == [(0, "start"), (7, "set"), (3, "restart")]


def test_changes_come_in_the_order_of_their_updates(values, tmp_path: Path) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    for update, kind, balance in ((9, "set", 0.1), (4, "set", 0.2), (5, "pause", 0), (4, "set", 0)):
        writer.event(update, kind, {"balance": balance})
    writer.close()
    changes = RunReader(writer.folder).changes()
    assert changes == [(4, {"balance": 0.2}), (4, {"balance": 0}), (9, {"balance": 0.1})]


def test_unknown_figures_are_null_in_the_file_and_nan_in_the_dataset(values, tmp_path) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    writer.metrics(row(1, loss=float("nan"), rate=np.float32(0.5)))
    writer.metrics(row(2, loss=None, accuracy=0.25))
    writer.close()
    assert "NaN" not in RunFolder(writer.folder).metrics.read_text()
    data = RunReader(writer.folder).dataset()
    assert list(data["update"]) == [1, 2]
    assert np.isnan(data["loss"]).all()
    assert float(data["accuracy"].sel(update=2)) == 0.25
    assert float(data["rate"].sel(update=1)) == 0.5


@given(
    stn.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.uint64]),
        stn.array_shapes(min_dims=0, max_dims=3, min_side=0),
    ),
    st.booleans(),
)
def test_a_checkpoint_brings_every_array_back_bit_for_bit(tmp_path_factory, array, turned) -> None:
    folder = tmp_path_factory.mktemp("run")
    array = array.T if turned else array
    writer = RunWriter.create({"task": "text", "seed": 0, "threads": 0}, folder)
    writer.checkpoint("last", {"a/b": array}, {"seed": 2**100, "nested": [{"x": 0.1}]})
    writer.close()
    arrays, meta = RunReader(folder).checkpoint("last")
    assert arrays["a/b"].dtype == array.dtype
    assert arrays["a/b"].shape == array.shape
    assert arrays["a/b"].tobytes() == array.tobytes()
    assert meta == {"seed": 2**100, "nested": [{"x": 0.1}]}


@pytest.mark.parametrize("left", [0, 5, 60, -1])
def test_a_damaged_checkpoint_is_one_sentence(values, tmp_path: Path, left: int) -> None:
    path = RunFolder(written(values, tmp_path / "run")).checkpoint("last")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(RunError, match=r"last\.safetensors is damaged"):
        RunReader(tmp_path / "run").checkpoint("last")


def test_a_missing_checkpoint_is_one_sentence(values, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no checkpoint 'best'"):
        RunReader(written(values, tmp_path / "run")).checkpoint("best")


def test_a_full_disk_leaves_the_checkpoint_before(values, tmp_path: Path, small_disk) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    writer.checkpoint("last", {"w": np.zeros(3)}, {})
    with small_disk(4096), pytest.raises(RunError, match="cannot be written"):
        writer.checkpoint("last", {"w": np.ones(10_000)}, {})
    writer.close()
    assert not RunReader(writer.folder).checkpoint("last")[0]["w"].any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no run folder"),
        (b"{", "is damaged"),
        (b"[]", "is damaged"),
        (b'{"format": 99, "values": {}, "created": ""}', "format 99; .* up to 1"),
    ],
)
def test_what_is_no_run_folder_is_one_sentence(tmp_path: Path, content, message: str) -> None:
    if content is not None:
        RunFolder(tmp_path).config.write_bytes(content)
    with pytest.raises(RunError, match=message):
        RunReader(tmp_path)


def test_a_summary_names_the_leading_metric_and_its_newest_values(values, tmp_path: Path) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    assert RunReader(writer.folder).summary()["metric"] is None
    writer.metrics(row(10, loss=1.0, accuracy=0.5, sparsity=0.0, validation_accuracy=0.4))
    writer.metrics(row(20, sparsity=0.0))
    writer.close()
    summary = RunReader(writer.folder).summary()
    assert (summary["updates"], summary["steps"]) == (20, 160)
    assert (summary["metric_name"], summary["metric"]) == ("accuracy", 0.5)
    assert (summary["validation"], summary["task"]) == (0.4, "delayed-recall")


def test_the_rows_read_as_the_curves_of_a_snapshot(values, tmp_path: Path) -> None:
    writer = RunWriter.create(values, tmp_path / "run")
    writer.metrics(row(10, accuracy=0.5, loss=1.0))
    writer.metrics(row(20, accuracy=None, validation_accuracy=0.25, validation_other=1.0))
    writer.close()
    curves = RunReader(writer.folder).curves()
    assert {name: (list(u), list(v)) for name, (u, v) in curves.items()} == {
        "metric": ([10], [0.5]),
        "loss": ([10], [1.0]),
        "validation": ([20], [0.25]),
    }


def test_runs_are_listed_newest_first_without_the_damaged_ones(values, tmp_path: Path) -> None:
    for number in (1, 2):
        config = RunFolder(written(values, tmp_path / f"run-{number}")).config
        info = json.loads(config.read_text())
        config.write_text(json.dumps({**info, "created": f"2026-01-0{number}"}))
    (tmp_path / "damaged").mkdir()
    RunFolder(tmp_path / "damaged").config.write_text("{")
    assert [run.folder.name for run in list_runs(tmp_path)] == ["run-2", "run-1"]
    assert list_runs(tmp_path / "nowhere") == []


def test_nothing_in_a_run_folder_is_pickled_and_reading_needs_no_torch(values, tmp_path) -> None:
    folder = written(values, tmp_path / "run")
    assert {path.name for path in folder.iterdir()} == {
        ".lock", "config.json", "events.jsonl", "metrics.jsonl", "last.safetensors",
    }  # fmt: skip
    script = (
        "import sys; from bim_explorer.store.reader import RunReader\n"
        "RunReader(sys.argv[1]).checkpoint('last'); assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], check=True)
