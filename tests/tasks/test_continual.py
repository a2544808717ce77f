"""Two tasks in one network: channels and classes apart, switched live, resumed exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Task
from bim_explorer.tasks import build_task
from bim_explorer.tasks.continual import Continual
from bim_explorer.training.experiment import Experiment

PAIR = {"task": "continual", "first": "delayed-recall", "second": "text", "batch": 2, "delay": 3}


@pytest.fixture
def values():
    return Config(**PAIR).values()


def test_it_is_a_task_with_the_channels_and_classes_of_both(values):
    task = build_task(values)
    parts = [build_task({**values, "task": name}) for name in ("delayed-recall", "text")]
    assert isinstance(task, Task)
    assert task.d_in == sum(part.d_in for part in parts)
    assert task.n_out == sum(part.n_out for part in parts)
    assert task.synthetic


def test_a_phase_has_channels_and_classes_of_its_own(values):
    task = Continual(values)
    first = task.chunk(20)
    task.set("phase", "second")
    second = task.chunk(20)
    assert first.spikes[..., :64].any()
    assert not first.spikes[..., 64:].any()
    assert not second.spikes[..., :64].any()
    assert first.target.max() < 4 <= second.target.min()
    assert not second.keep[:, 0].any()
    assert task.chunk(5).keep[:, 0].all()


def test_what_is_retained_is_the_first_tasks_validation(values):
    task = Continual(values)
    assert task.retained(8) is None
    before = next(task.held_out("validation", 8))
    task.set("phase", "second")
    kept = task.retained(8)
    assert kept is not None
    np.testing.assert_array_equal(next(kept).spikes, before.spikes)


def test_a_state_goes_through_json_and_on_exactly(values):
    task, other = Continual(values), Continual(values)
    task.chunk(33)
    task.set("phase", "second")
    other.load_state(json.loads(json.dumps(task.state())))
    for _ in range(2):
        one, two = task.chunk(9), other.chunk(9)
        np.testing.assert_array_equal(one.spikes, two.spikes)
        np.testing.assert_array_equal(one.keep, two.keep)


@pytest.mark.parametrize("second", ["delayed-recall", "continual"])
def test_two_tasks_are_wanted(second):
    with pytest.raises(ConfigError, match="two other tasks"):
        Continual(Config(**{**PAIR, "second": second}).values())


def test_a_running_network_is_switched_and_its_retention_is_told():
    experiment = Experiment(Config(**PAIR, d_model=8, d_state=2).values())
    experiment.advance()
    assert "retention" not in experiment.validate(64)
    experiment.apply({"phase": "second"})
    experiment.advance()
    scores = experiment.validate(64)
    assert 0.0 <= scores["retention"] <= 1.0
    assert "retention" in experiment.snapshot().curves
