"""A run goes on from its checkpoint as if nothing had happened."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.config.event_driven import NEEDS
from bim_explorer.core.errors import ConfigError
from bim_explorer.store.reader import RunReader
from bim_explorer.tasks.synthetic import hearts
from bim_explorer.tasks.synthetic.formants import write_digits
from bim_explorer.training.experiment import Experiment
from bim_explorer.training.recorder import Recorder

SMALL = {"d_model": 8, "d_state": 2, "batch": 2, "delay": 3, "code_size": 12, "code_active": 3}


def values_of(**changes):
    return Config(**{**SMALL, "balance": 0.5, "target_sparsity": 0.3, **changes}).values()


def theta(experiment: Experiment) -> dict[str, np.ndarray]:
    arrays, _ = experiment.state()
    return arrays


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "credit": "truncated"},
        {"credit": "local", "n_blocks": 2, "psp_kernel": "alpha", "dtype": "float64"},
        {**NEEDS, "event_driven": True, "learning_rate": 0.01},
        {"rule": "triplet", "neuron": "heterogeneous", "n_blocks": 2},
        {"rule": "oja", "neuron": "exponential"},
        {"task": "text", "code_size": 40, "code_active": 4, "code_context": 2},
        {"averaging": 3.0},
        {"target_sparsity": 0.95, "prune_every": 1, "threshold_rate": 1.0, "regrow": "random"},
        {"target_sparsity": 0.95, "prune_every": 5, "threshold_rate": 1.0, "learn": "synapses"},
    ],
)
def test_a_resumed_experiment_is_the_undisturbed_one(changes):
    undisturbed = Experiment(values_of(**changes))
    for _ in range(60):
        undisturbed.advance()
    resumed = Experiment.from_state(*undisturbed.state())
    for _ in range(25):
        undisturbed.advance()
        resumed.advance()
    assert same(theta(undisturbed), theta(resumed))
    if changes.get("target_sparsity", 0.0) > 0.9:
        assert len(theta(resumed)["influence/0/place"])
    assert resumed.row == undisturbed.row
    assert resumed.steps == undisturbed.steps


def test_a_checkpoint_in_which_w_is_dense_and_not_said_to_be_goes_on():
    """Runs of before living synapses had columns of their own."""
    undisturbed = Experiment(values_of())
    for _ in range(10):
        undisturbed.advance()
    arrays, facts = copy.deepcopy(undisturbed.state())
    arrays = {name: x for name, x in arrays.items() if not name.endswith(("/sparse", "/place"))}
    learner = facts["learner"]
    learner["families"] = [families[:2] for families in learner["families"]]
    resumed = Experiment.from_state(arrays, facts)
    undisturbed.advance()
    resumed.advance()
    assert same(theta(undisturbed), theta(resumed))


@pytest.mark.parametrize("changes", [{}, {**NEEDS, "event_driven": True}])
def test_a_look_leaves_no_trace(changes):
    watched, alone = (Experiment(values_of(**changes)) for _ in range(2))
    alone._look_due = math.inf
    for _ in range(10):
        watched._look_due = 0.0
        watched.advance()
        alone.advance()
    assert same(theta(watched), theta(alone))


@pytest.mark.parametrize("task", ["digits", "ecg"])
def test_a_resumed_experiment_on_records_is_the_undisturbed_one(task, tmp_path):
    if task == "digits":
        write_digits(tmp_path, seed=0, takes=10)
    else:
        hearts.write_set(tmp_path, seed=0, per_fold=2)
    values = values_of(task=task, data=str(tmp_path), dt_ms=20, chunk=16)
    undisturbed = Experiment(values)
    for _ in range(12):
        undisturbed.advance()
    resumed = Experiment.from_state(*undisturbed.state())
    for _ in range(12):
        undisturbed.advance()
        resumed.advance()
    assert same(theta(undisturbed), theta(resumed))
    assert resumed.steps == undisturbed.steps
    assert resumed.validate(64) == undisturbed.validate(64)


def test_the_best_checkpoint_holds_what_was_judged(tmp_path):
    recorder = Recorder.open(values_of(averaging=1.0), tmp_path / "run")
    for _ in range(20):
        recorder.advance()
    recorder.close()
    kept = RunReader(tmp_path / "run").checkpoint("best")[0]
    judged = recorder.experiment.learner.judged.parameters()
    newest = recorder.experiment.learner.network.parameters()
    assert np.array_equal(kept["theta/block0.W"], judged["block0.W"].numpy())
    assert not np.array_equal(kept["theta/block0.W"], newest["block0.W"].numpy())


def test_live_changes_are_replayed_at_their_updates(tmp_path):
    recorder = Recorder.open(values_of(), tmp_path / "run")
    for update in range(40):
        if update == 20:
            recorder.checkpoint()
        if update == 31:
            assert recorder.change({"balance": 0.1, "delay": 5, "rule": "nearest-stdp"}) == 32
        recorder.advance()
    expected = theta(recorder.experiment)
    recorder.writer.close()
    resumed = Recorder.resume(tmp_path / "run")
    assert resumed.experiment.update == 20
    while resumed.experiment.update < 40:
        resumed.advance()
    assert resumed.experiment.values["balance"] == 0.1
    assert same(theta(resumed.experiment), expected)
    resumed.close()
    rows = [row["update"] for row in RunReader(tmp_path / "run").metrics()]
    assert rows == [10, 20, 30, 40]


def test_validation_does_not_touch_learning():
    quiet, validated = Experiment(values_of()), Experiment(values_of())
    for _ in range(20):
        quiet.advance()
        validated.advance()
        validated.validate(16)
        validated.snapshot()
    assert same(theta(quiet), theta(validated))


def test_a_parameter_that_needs_a_new_network_is_refused_live():
    experiment = Experiment(values_of())
    with pytest.raises(ConfigError, match="d_model needs a new network"):
        experiment.apply({"d_model": 9})
    with pytest.raises(ConfigError, match="balance must be ≤ 1"):
        experiment.apply({"balance": 2.0, "a_plus": 0.3})
    assert experiment.values["a_plus"] == 1.0
