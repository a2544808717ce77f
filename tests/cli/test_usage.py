from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bim_explorer import __version__
from bim_explorer.cli import main
from bim_explorer.core.errors import DivergenceError

COMMANDS = ("serve", "train", "sweep", "evaluate", "audit", "bench", "runs", "data")


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_help_shows_examples(words, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([*words, "--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert "examples:\n  bim-explorer " in out
    for command in COMMANDS if not words else ():
        assert f"\n    {command} " in out


@pytest.mark.parametrize("command", ["serve", "train", "sweep", "audit"])
def test_help_lists_the_presets(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert re.search(r"^  prune +Prune to 90 %$", out, re.MULTILINE)
    assert re.search(r"^  connected-digits  Write", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "the following arguments are required: COMMAND (see bim-explorer --help)"),
        ("trian", "invalid choice: 'trian'"),
        ("train --frob", "unrecognized arguments: --frob"),
        ("train --seconds x", "argument --seconds: invalid number value: 'x'"),
        ("train --seconds 0", "argument --seconds: must be a number > 0, got 0"),
        ("train --seconds nan", "argument --seconds: must be a number > 0, got nan"),
        ("train --updates 0", "argument --updates: must be a whole number ≥ 1, got 0"),
        ("train --updates 1.5", "argument --updates: invalid whole number value: '1.5'"),
        ("train --updates 1 --seconds 1", "--seconds: not allowed with argument --updates"),
        ("train --preset a --config b", "--config: not allowed with argument --preset"),
        ("train --preset recal", "unknown preset 'recal'; did you mean 'recall'?"),
        ("train --set delay", "--set wants key=value, got 'delay'"),
        ("train --set dealy=3", "unknown parameter 'dealy'; did you mean 'delay'?"),
        ("train --set delay=0", "delay must be ≥ 1, got 0"),
        ("train --set preset=text", "a preset is a starting point: --preset text, not --set"),
        ("train --seed x", "seed must be a whole number, got 'x'"),
        ("train --preset text --set data=gone.txt", "gone.txt does not exist"),
        ("audit --chunk 0", "argument --chunk: must be a whole number ≥ 1, got 0"),
        ("audit --steps 0", "argument --steps: must be a whole number ≥ 1, got 0"),
        ("audit --dtype half", "dtype must be one of float32, float64; got 'half'"),
        ("evaluate", "the following arguments are required: RUN"),
        ("evaluate gone", "no run 'gone', neither as a folder nor below "),
        ("runs zap", "invalid choice: 'zap'"),
        ("runs show", "runs show wants the RUN to show"),
        ("runs show gone", "no run 'gone'"),
        ("runs list gone", "runs list takes no RUN: bim-explorer runs show gone"),
        ("runs --root gone", "gone is no folder"),
        ("data check", "data check wants the PATH to check"),
        ("data check gone.txt", "gone.txt does not exist"),
        ("data list x", "data list takes no PATH: bim-explorer data check x"),
        ("serve --port 65536", "argument --port: must be a port from 0 to 65535, got 65536"),
        ("serve --port x", "argument --port: invalid port value: 'x'"),
        ("serve --preset recal", "unknown preset 'recal'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, words, complaint):
    answer = cli(*words.split())
    assert answer.code == 2
    assert answer.complaint.startswith("bim-explorer: ")
    assert complaint in answer.complaint


def test_debug_shows_where_an_error_comes_from(cli):
    answer = cli("data", "check", "gone.txt", "--debug")
    assert answer.code == 2
    assert "Traceback" in answer.err
    assert answer.err.splitlines()[-1].startswith("bim-explorer: gone.txt does not exist")


@pytest.mark.parametrize(
    ("error", "code", "complaint"),
    [
        (ZeroDivisionError("oops"), 1, "a fault of the program, ZeroDivisionError: oops; --debug"),
        (DivergenceError("w grew\nbeyond all"), 1, "bim-explorer: w grew beyond all\n"),
        (KeyboardInterrupt(), 130, "bim-explorer: interrupted.\n"),
    ],
)
def test_faults_have_exit_codes_of_their_own(cli, monkeypatch, error, code, complaint):
    def fail(*_args):
        raise error

    monkeypatch.setattr("bim_explorer.tasks.text.inspect_text", fail)
    answer = cli("data", "check", "x")
    assert answer.code == code
    assert complaint in answer.complaint


def test_help_loads_no_heavy_layer():
    code = (
        "import sys\nfrom bim_explorer.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'param', 'panel'} & sys.modules.keys()\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def console_script() -> Path:
    script = Path(sys.executable).with_name("bim-explorer")
    if not script.exists():
        pytest.skip("CONSOLE SCRIPT MISSING: the project is not installed here")
    return script


def test_the_console_script_runs():
    done = subprocess.run(
        [console_script(), "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"bim-explorer {__version__}\n")


def test_a_reader_that_leaves_early_is_no_fault():
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{console_script()}' data list | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
