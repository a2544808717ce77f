"""`docs/how-to/extend.md` as written: its files are written out, its commands run, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import panel_material_ui as pmui
import pytest
from fake_run import FakeHub

from bim_explorer.cli.entry import build_parser
from bim_explorer.config import Config
from bim_explorer.core import plugins
from bim_explorer.core.registries import NAMED_BY
from bim_explorer.store.reader import RunReader, list_runs
from bim_explorer.views.explorer import Explorer
from bim_explorer.views.panels.controls import Controls
from bim_explorer.views.panels.starters import about

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "how-to" / "extend.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = {
    found.group(1): code
    for kind, code in BLOCKS
    if kind == "python" and (found := re.match(r"# (\w+\.py)\n", code))
}
SCRIPTS = [code for kind, code in BLOCKS if kind == "python" and not re.match(r"# \w+\.py\n", code)]
COMMANDS = [code for kind, code in BLOCKS if kind == "bash"]
TABLES = [code for kind, code in BLOCKS if kind == "toml"]
SLOW_START = 300


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with all files of the text, as its reader would have."""
    for name, code in FILES.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIM_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    return tmp_path


def run(words: list[str], **environment: str) -> str:
    """What a program printed; this checkout's package, wherever it is run."""
    path = os.pathsep.join([str(ROOT), environment.pop("PYTHONPATH", "")])
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    around = {**os.environ, "PYTHONPATH": path, "PATH": programs, **environment}
    done = subprocess.run(
        words, env=around, capture_output=True, text=True, timeout=SLOW_START, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_text_has_a_file_of_every_kind():
    added = {group for code in FILES.values() for group in plugins.GROUPS if f'"{group}"' in code}
    assert added == set(plugins.GROUPS)
    assert len(COMMANDS) == len(FILES) + 1
    assert len(SCRIPTS) == len(TABLES) == 1


def test_the_table_names_the_parameters_that_take_a_name():
    named = set(re.findall(r"\| `(\w+)` \|", TEXT))
    assert named == NAMED_BY.keys() - {"first", "second"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda text: text.split("\n")[0].split("=")[1])
def test_its_commands_run(command, folder):
    if "bim-explorer sweep" in command and "sweep" not in build_parser().format_help():
        pytest.skip("there is no command `sweep` yet")
    run(["bash", "-euc", command])
    if "bim-explorer train" in command:
        (made,) = list_runs(folder / "runs")
        (file,) = made.info["plugins"]
        assert Path(file).name in command
        assert made.metrics() or made.checkpoint("last")


def test_its_script_runs(folder):
    for script in SCRIPTS:
        told = run([sys.executable, "-c", f"{script}\nprint(result['updates'], result['metrics'])"])
        assert told.startswith("20 {'accuracy':")
    (made,) = list_runs(folder / "runs")
    assert {Path(file).name for file in made.info["plugins"]} == {"anti_hebbian.py", "parity.py"}


def test_its_names_stand_on_the_page(folder, monkeypatch):
    monkeypatch.setenv(plugins.VARIABLE, os.pathsep.join(FILES))
    explorer = Explorer(Config(task="parity", rule="anti-hebbian", model="rnn"), FakeHub())
    (controls,) = explorer.page.select(Controls)
    drawn = (control for card in controls.sections for control in card["controls"])
    options = {control["name"]: control.get("options") for control in drawn}
    own = {"rule": "anti-hebbian", "neuron": "reset-to-rest", "encoder": "above", "model": "rnn"}
    for name, value in own.items():
        assert value in options[name]
    menus = [select.options for select in explorer.page.select(pmui.Select)]
    assert any(menu.get("Parity of four bits") == "parity" for menu in menus if menu)
    assert "Bits drawn at random" in about(explorer.session.config)
    explorer.session.change({"rule": "oja"})
    assert explorer.run.sent[-1] == ("set", {"rule": "oja"})


def test_its_entry_point_is_found_and_its_version_recorded(folder):
    (table,) = TABLES
    groups = tomllib.loads(table)["project"]["entry-points"]
    installed = folder / "site" / "mine-1.2.dist-info"
    installed.mkdir(parents=True)
    lines = [
        f"[{group}]\n{name} = {where}\n"
        for group, of in groups.items()
        for name, where in of.items()
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.2\n")
    (folder / "site" / "anti_hebbian.py").write_text(FILES["anti_hebbian.py"], encoding="utf-8")
    words = ["--set", "rule=anti-hebbian", "--set", "d_model=8", "--set", "d_state=2"]
    program = ["bim-explorer", "train", *words, "--updates", "5", "--out", "run"]
    run(program, PYTHONPATH=str(folder / "site"))
    info = RunReader("run").info
    assert (info["versions"]["mine"], info["plugins"]) == ("1.2", {})
