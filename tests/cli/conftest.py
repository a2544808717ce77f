"""The command line in this process, and one small run for all tests that read one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bim_explorer.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The result; it is all that stands on stdout."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line of a bad input."""
        assert self.out == ""
        assert self.err.count("\n") == 1
        return self.err


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Run a command in this process; runs go below `tmp_path` unless told elsewhere."""
    monkeypatch.setenv("BIM_RUNS", str(tmp_path / "runs"))

    def run(*words: object) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def small() -> list[str]:
    """Options of a network that trains in no time."""
    sizes = ("delay=2", "chunk=4", "batch=4", "d_model=8", "d_state=2", "code_size=16")
    values = (*sizes, "delta_min=0.005", "delta_max=0.5")
    return ["--preset", "recall", *(word for value in values for word in ("--set", value))]


@pytest.fixture(scope="session")
def small_run(small: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 20 updates, validated and with both checkpoints."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert main(["train", *small, "--updates", "20", "--out", str(folder), "--json"]) == 0
    return folder
