"""The how-to and its files are what the package takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from bim_explorer.cli.entry import build_parser
from bim_explorer.cli.sweep import _plan
from bim_explorer.sweeps import Plan

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
TEXT = (FOLDER / "sweeps.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def commands() -> list[str]:
    return re.findall(r"^    (bim-explorer sweep [^\n]*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("command", commands())
def test_commands_are_understood(command):
    args = build_parser().parse_args(shlex.split(command)[1:])
    assert len(_plan(args)) > 1


def test_the_sweep_file_is_one(tmp_path):
    (content,) = blocks("toml")
    path = tmp_path / "study.toml"
    path.write_text(content, encoding="utf-8")
    assert Plan(path).sizes == {"balance": 3, "seed": 3, "draw": 8}


def test_the_plan_in_python_is_one():
    code = blocks("python")[0].split("result =")[0]
    told = []
    names = {"print": told.append}
    exec(code.replace("plan.describe()", "plan.describe(probe=False)"), names)
    assert told[0].startswith("36 runs = balance (3) × learning_rate (4) × seed (3), 200 updates")


def test_every_file_that_is_named_is_there():
    for name in re.findall(r"\]\((sweeps/[^)]+)\)", TEXT):
        assert (FOLDER / name).is_file()


def test_files_for_clusters_can_be_read():
    parts = list(yaml.safe_load_all((FOLDER / "sweeps" / "kubernetes.yaml").read_text("utf-8")))
    kinds = ["PersistentVolumeClaim", "Service", "Deployment", "Deployment", "Job"]
    assert [part["kind"] for part in parts] == kinds
    job = parts[-1]["spec"]["template"]["spec"]["containers"][0]
    args = build_parser().parse_args([*job["command"], *job["args"]][1:])
    assert args.scheduler == "tcp://sweep-scheduler:8786"
    compile((FOLDER / "sweeps" / "slurm.py").read_text("utf-8"), "slurm.py", "exec")
