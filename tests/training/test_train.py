"""Training end to end: what is learned, what is written, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, DivergenceError, RunError
from bim_explorer.store.reader import RunReader
from bim_explorer.training.evaluate import evaluate
from bim_explorer.training.experiment import Experiment
from bim_explorer.training.train import train

RECALL = {
    "preset": "recall",
    "delay": 16,
    "chunk": 2,
    "d_model": 24,
    "d_state": 4,
    "code_size": 24,
    "code_active": 4,
    "delta_min": 0.02,
    "learning_rate": 0.01,
    "seed": 5,
}


@pytest.fixture(scope="module")
def recall_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "recall"
    return folder, train(Config(**RECALL), updates=1500, out=folder)


def test_recall_is_learned_by_exact_credit(recall_run):
    _, result = recall_run
    assert result["metrics"]["accuracy"] > 0.95
    assert result["updates"] == 1500
    assert result["steps"] == 1500 * 2 * 16
    assert 0.0 < result["firing_rate"] < 1.0


def test_recall_is_not_learned_by_truncated_credit(tmp_path):
    config = Config(**{**RECALL, "credit": "truncated"})
    result = train(config, updates=1500, out=tmp_path / "run")
    assert result["metrics"]["accuracy"] < 0.6


def test_the_best_checkpoint_is_scored_on_unseen_trials(recall_run):
    folder, _ = recall_run
    result = evaluate(folder)
    assert result["task"] == "delayed-recall"
    assert result["metrics"]["accuracy"] > 0.9
    assert result["n"] == 16 * 16


def test_the_run_folder_says_what_happened(recall_run):
    folder, result = recall_run
    reader = RunReader(folder)
    rows = reader.metrics()
    assert [row["update"] for row in rows] == list(range(10, 1501, 10))
    assert any("validation_accuracy" in row for row in rows)
    assert reader.values == Config(**RECALL).values()
    assert result["run"] == str(folder)


def test_text_is_learned_better_than_by_letter_frequency(tmp_path):
    config = Config(preset="text", n_blocks=1, d_model=32, d_state=2, learning_rate=0.01)
    result = train(config, updates=250, out=tmp_path / "run")
    assert result["metrics"]["bits_per_character"] < 4.4


def test_the_target_sparsity_is_reached_and_held(tmp_path):
    values = {**RECALL, "target_sparsity": 0.5, "threshold_rate": 0.1}
    train(Config(**values), updates=400, out=tmp_path / "run")
    sparsity = [row["sparsity"] for row in RunReader(tmp_path / "run").metrics()]
    assert sparsity[len(sparsity) // 2 :] == pytest.approx([0.5] * 20, abs=0.01)


def test_the_update_as_printed_diverges_with_a_reason(tmp_path):
    with pytest.raises(DivergenceError, match="as printed adds the gradient"):
        train(Config(preset="as-printed"), updates=3000, out=tmp_path / "run")
    assert RunReader(tmp_path / "run").checkpoint("last")


def test_bad_limits_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="seconds must be > 0, got 0"):
        train(Config(**RECALL), seconds=0, out=tmp_path / "run")
    with pytest.raises(ConfigError, match="device must be one of cpu"):
        train(Config(device="warp"), updates=1, out=tmp_path / "run")
    with pytest.raises(RunError):
        evaluate(tmp_path / "nothing")


def test_a_snapshot_carries_what_is_new_and_nothing_twice():
    experiment = Experiment(Config(**RECALL).values())
    for _ in range(25):
        experiment.advance()
    first = experiment.snapshot()
    assert first.curves["sparsity"][0].tolist() == [10, 20]
    assert first.raster is not None
    assert first.raster.spikes.shape == (24 + 24, 50)
    assert first.raster.end == 50
    assert set(np.unique(first.raster.spikes)) == {0, 1}
    experiment.apply({"balance": 0.5})
    experiment.advance()
    second = experiment.snapshot()
    assert second.curves == {}
    assert second.raster is not None
    assert second.raster.spikes.shape[1] == 2
    assert [(mark.update, mark.values) for mark in second.marks] == [(26, {"balance": 0.5})]


def test_sampled_synapses_follow_the_window_at_pure_stdp():
    """One stream, SGD, λ = 0: the change of a weight is its STDP part, and single pairs lie
    on the window.
    """
    values = {
        **RECALL,
        "seed": 0,
        "balance": 0.0,
        "batch": 1,
        "optimizer": "sgd",
        "learning_rate": 1e-3,
    }
    experiment = Experiment(Config(**values).values())
    for _ in range(60):
        experiment.advance()
    experiment._look_due = 0.0
    experiment.advance()
    pairs = experiment.snapshot().pairs
    assert pairs is not None
    assert len(pairs.delta_t_ms) > 20
    np.testing.assert_allclose(pairs.total, pairs.stdp, atol=1e-6)
    assert not pairs.gradient.any()
    assert pairs.pair_scale == pytest.approx(1e-3)
    causal = pairs.delta_t_ms >= 0
    assert pairs.stdp[causal].mean() > pairs.stdp[~causal].mean()
