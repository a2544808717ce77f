"""Every model on every task: five updates, finite, and the same again from the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.core.registries import BASELINES, NEURONS, RULES, TASKS
from bim_explorer.training.experiment import Experiment

SMALL = {"d_model": 8, "d_state": 2, "batch": 2, "chunk": 12, "dt_ms": 20.0, "balance": 0.5}


def five_updates(**values) -> tuple[dict[str, np.ndarray], list[float | None]]:
    experiment = Experiment(Config(**{**SMALL, **values}).values())
    losses = [experiment.advance().loss for _ in range(5)]
    arrays, _ = experiment.state()
    return {k: v for k, v in arrays.items() if k.startswith("theta/")}, losses


def check(**values) -> None:
    (ours, losses), (again, _) = five_updates(**values), five_updates(**values)
    assert all(np.isfinite(array).all() for array in ours.values())
    assert all(loss is None or np.isfinite(loss) for loss in losses)
    assert ours.keys() == again.keys()
    assert all(np.array_equal(ours[name], again[name]) for name in ours)


@pytest.mark.parametrize("task", TASKS.names())
@pytest.mark.parametrize("model", ["bim", *BASELINES.names()])
def test_every_model_on_every_task(model, task):
    check(model=model, task=task)


@pytest.mark.parametrize("model", ["bim", *BASELINES.names()])
def test_another_seed_is_another_run(model):
    (ours, _), (other, _) = five_updates(model=model), five_updates(model=model, seed=1)
    assert any(not np.array_equal(ours[name], other[name]) for name in ours)


@pytest.mark.parametrize("rule", RULES.names())
@pytest.mark.parametrize("neuron", NEURONS.names())
def test_every_rule_with_every_neuron(rule, neuron):
    check(rule=rule, neuron=neuron, delay=5, n_blocks=2)
