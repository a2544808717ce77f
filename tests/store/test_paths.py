from __future__ import annotations

from pathlib import Path

import pytest

from bim_explorer.core.errors import RunError
from bim_explorer.store.paths import new_run_folder, runs_root


def test_runs_live_where_the_environment_says(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BIM_RUNS", str(tmp_path))
    assert runs_root() == tmp_path
    monkeypatch.delenv("BIM_RUNS")
    assert runs_root() == Path("runs")


def test_no_two_runs_get_the_same_folder(tmp_path: Path) -> None:
    folders = [new_run_folder(tmp_path / "runs", "recall-s0") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(folder.is_dir() for folder in folders)


def test_a_label_cannot_leave_the_root(tmp_path: Path) -> None:
    assert new_run_folder(tmp_path, "../../a b").parent == tmp_path


def test_a_root_that_cannot_be_written_is_one_sentence(read_only: Path) -> None:
    with pytest.raises(RunError, match=r"No run folder can be made in .*: Permission denied"):
        new_run_folder(read_only, "recall-s0")
