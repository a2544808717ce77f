"""Two tasks in one stream: channels and labels side by side, each asked on its own steps."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Task
from bim_explorer.tasks import build_task
from bim_explorer.tasks.joint import Joint
from bim_explorer.training.experiment import Experiment

PAIR = {"task": "joint", "first": "delayed-recall", "second": "text", "batch": 2, "delay": 3}


@pytest.fixture
def values():
    return Config(**PAIR).values()


def test_it_is_a_task_with_channels_and_labels_of_both(values):
    task = build_task(values)
    first, second = (build_task({**values, "task": name}) for name in ("delayed-recall", "text"))
    assert isinstance(task, Task)
    assert task.d_in == first.d_in + second.d_in
    assert task.n_out == first.n_out + second.n_out - 2


def test_both_play_and_each_is_asked_on_its_own_steps(values):
    chunk = Joint(values).chunk(20)
    recall = build_task({**values, "task": "delayed-recall"}).chunk(20)
    text = build_task({**values, "task": "text"}).chunk(20)
    np.testing.assert_array_equal(chunk.spikes[..., :64], recall.spikes)
    np.testing.assert_array_equal(chunk.spikes[..., 64:], text.spikes)
    asked = chunk.target[..., :3] >= 0
    np.testing.assert_array_equal(asked.all(-1), recall.mask)
    np.testing.assert_array_equal(asked.any(-1), recall.mask)
    given = chunk.target[..., 3:]
    assert set(np.unique(given)) == {0.0, 1.0}
    np.testing.assert_array_equal(
        given.argmax(-1)[text.target > 0] + 1, text.target[text.target > 0]
    )
    np.testing.assert_array_equal(chunk.keep, recall.keep & text.keep)


def test_held_out_ends_with_the_shorter(values):
    steps = sum(chunk.n_steps for chunk in Joint(values).held_out("validation", 16, limit=40))
    assert 0 < steps <= 40


def test_a_state_goes_through_json_and_on_exactly(values):
    task, other = Joint(values), Joint(values)
    task.chunk(33)
    other.load_state(json.loads(json.dumps(task.state())))
    np.testing.assert_array_equal(task.chunk(9).spikes, other.chunk(9).spikes)


def test_a_network_learns_both():
    experiment = Experiment(Config(**PAIR, d_model=8, d_state=2).values())
    result = [experiment.advance() for _ in range(3)][-1]
    assert result.loss is not None
    assert 0.0 < experiment.validate(64)["auc_roc"] < 1.0


def test_two_tasks_are_wanted():
    with pytest.raises(ConfigError, match="two other tasks"):
        Joint(Config(**{**PAIR, "second": "delayed-recall"}).values())
