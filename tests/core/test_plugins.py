"""A user's own file: its line is read without running it, and what is wrong is one sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bim_explorer.config import Config
from bim_explorer.config.config import parse_assignment
from bim_explorer.core.errors import ConfigError, RunError
from bim_explorer.core.plugins import VARIABLE, plugin_paths, use_plugins
from bim_explorer.core.registries import RULES, need_plugins, used_plugins

LINE = 'BIM_EXPLORER = {"rules": {"mine": "Mine"}}\n'
FILE = f"{LINE}\nclass Mine:\n    number = 1\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a plugin and set the variable to it."""

    def write(content: str, name: str = "mine.py"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        monkeypatch.setenv(VARIABLE, str(path))
        return path

    return write


def test_names_are_listed_without_running_the_file(write):
    write(f"{LINE}raise SystemExit('it was run')\n")
    assert RULES.names()[-1] == "mine"
    assert Config(rule="mine").rule == "mine"
    assert parse_assignment("rule=mine") == ("rule", "mine")
    assert "mine" in Config.param["rule"].objects


def test_an_edited_file_counts_at_once(write):
    path = write(FILE)
    assert RULES.load("mine").number == 1
    write(FILE.replace("1", "2").replace("mine", "other"))
    os.utime(path, (1, 1))
    assert RULES.load("other").number == 2
    assert "mine" not in RULES.names()


def test_files_add_up_and_are_inherited(write, tmp_path):
    write(FILE)
    (tmp_path / "second.py").write_text('BIM_EXPLORER = {"tasks": {"their": "T"}}', "utf-8")
    use_plugins(tmp_path / "second.py")
    use_plugins(tmp_path / "second.py")
    assert plugin_paths() == [tmp_path / "mine.py", tmp_path / "second.py"]
    code = "from bim_explorer.core.registries import TASKS; print(TASKS.names()[-1])"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "their"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("class Mine: ...", "has no line BIM_EXPLORER"),
        ("BIM_EXPLORER = dict(rules=1)", "plain dictionary of strings"),
        ('BIM_EXPLORER = {"rule": {"mine": "Mine"}}', "knows the groups tasks, .* got 'rule'"),
        ('BIM_EXPLORER = {"rules": {"stdp": "Mine"}}', "'stdp', which is built in"),
        ("def", "no Python file"),
    ],
)
def test_a_bad_line_is_refused_in_one_sentence(write, content, message):
    write(content)
    with pytest.raises(ConfigError, match=message):
        Config(rule="mine")


def test_a_file_that_cannot_be_run_says_why(write):
    write(f"{LINE}import no_such_module\n")
    with pytest.raises(ConfigError, match=r"mine\.py cannot be run: ModuleNotFoundError"):
        RULES.load("mine")
    write(LINE)
    with pytest.raises(ConfigError, match="defines no 'Mine'"):
        RULES.load("mine")


def test_a_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone.py"))
    with pytest.raises(ConfigError, match=r"BIM_PLUGINS names .*gone\.py, which cannot be read"):
        Config(rule="mine")
    assert Config(rule="oja").rule == "oja"
    with pytest.raises(ConfigError, match=r"gone\.py"):
        use_plugins(tmp_path / "gone.py")


def test_an_unknown_name_says_how_a_file_is_found():
    with pytest.raises(ConfigError, match=r"rule must be one of stdp, .*BIM_PLUGINS=FILE\.py"):
        Config(rule="mine")
    with pytest.raises(ConfigError, match=r"unknown rule 'stpd'; did you mean 'stdp'\?"):
        RULES.load("stpd")


def test_a_run_names_the_files_it_used_and_wants_them_again(write, monkeypatch, caplog):
    path = write(FILE)
    assert used_plugins(Config().values()) == {}
    recorded = used_plugins(Config(rule="mine").values())
    assert list(recorded) == [str(path)]
    need_plugins(recorded)
    assert not caplog.records
    write(FILE.replace("1", "2"))
    need_plugins(recorded)
    assert "mine.py has changed since this run was made" in caplog.text
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(RunError, match=f"was made with {path}: set BIM_PLUGINS={path}"):
        need_plugins(recorded)
