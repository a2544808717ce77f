from __future__ import annotations

import subprocess
import sys

import pytest

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Task
from bim_explorer.tasks import TASKS, build_task, describe, task_titles

SYMBOLS = ("delayed-recall", "text", "words")


@pytest.mark.parametrize("name", TASKS.names())
def test_every_task_keeps_the_protocol(name):
    task = build_task(Config(task=name).values())
    assert isinstance(task, Task)
    assert task.name == name
    assert task.title == task_titles()[name]
    assert (task.provenance, task.synthetic) == describe(Config(task=name).values())
    chunk = task.chunk(5)
    assert chunk.n_steps == 5
    assert chunk.spikes.shape == (16, 5, task.d_in)
    # Symbols spike as often as their code says, signals about as often as typical ones.
    spared = 1e-6 if name in SYMBOLS else 0.95
    assert chunk.spikes.mean() == pytest.approx(task.input_rate, rel=spared)
    for array in (chunk.mask, chunk.keep):
        assert (array.shape, array.dtype) == ((16, 5), bool)
    if chunk.target.ndim == 2:
        assert chunk.target.shape == (16, 5)
        assert chunk.target.dtype == "int64"
        assert chunk.target.max() < task.n_out
    else:
        assert chunk.target.shape == (16, 5, task.n_out)
        assert set(chunk.target.ravel()) <= {-1.0, 0.0, 1.0}
    assert chunk.spikes.dtype == "uint8"


def test_an_unknown_task_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown task 'txt'; did you mean 'text'\?"):
        build_task(Config(task="txt").values())


def test_describing_a_text_does_not_open_it(tmp_path):
    provenance, synthetic = describe(Config(task="text", data=str(tmp_path / "gone.txt")).values())
    assert "gone.txt" in provenance
    assert not synthetic


def test_synthetic_data_says_so():
    provenance, synthetic = describe(Config(task="delayed-recall").values())
    assert synthetic
    assert "synthetic" in provenance.lower()


def test_tasks_leave_torch_alone():
    code = (
        "import sys; from bim_explorer.config import Config; from bim_explorer.tasks import *; "
        "[build_task(Config(task=t).values()) for t in TASKS.names()]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
