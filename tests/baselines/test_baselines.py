"""Baselines: what they see, what they learn, and that they are runs like any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bim_explorer.analysis.audit import audit
from bim_explorer.baselines.learner import BaselineNetwork, build_baseline
from bim_explorer.baselines.model import spans
from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, DivergenceError
from bim_explorer.core.registries import BASELINES
from bim_explorer.training.evaluate import evaluate
from bim_explorer.training.experiment import Experiment
from bim_explorer.training.recorder import Recorder
from bim_explorer.training.train import train

SMALL = {"d_model": 16, "batch": 4, "delay": 3, "code_size": 12, "code_active": 3, "threads": 1}
names = pytest.mark.parametrize("name", BASELINES.names())


def network_of(name: str, **values) -> BaselineNetwork:
    config = Config(**{**SMALL, "model": name, "dtype": "float64", "seed": 3, **values})
    return build_baseline(config.values(), 12, 5)


def spikes_of(steps: int, seed: int = 0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).random((4, steps, 12)) < 0.3
    return torch.as_tensor(drawn, dtype=torch.float64)


@torch.no_grad()
def answer(network: BaselineNetwork, spikes: torch.Tensor, keep: torch.Tensor, chunk: int):
    """Logits of the whole sequence from chunks."""
    network, edges = network.twin(4), range(0, spikes.shape[1], chunk)
    pieces = [network.answer(spikes[:, a : a + chunk], keep[:, a : a + chunk])[0] for a in edges]
    return torch.cat(pieces, dim=1)


@names
def test_no_step_sees_a_later_one(name):
    network, keep = network_of(name), torch.ones(4, 20, dtype=torch.float64)
    spikes = spikes_of(20)
    other = torch.cat([spikes[:, :12], 1 - spikes[:, 12:]], dim=1)
    before, after = (answer(network, s, keep, 20) for s in (spikes, other))
    torch.testing.assert_close(before[:, :12], after[:, :12], rtol=0, atol=1e-12)
    assert (before[:, 12:] - after[:, 12:]).abs().min() > 0


@names
@pytest.mark.parametrize("at", [8, 11])
def test_nothing_reaches_across_a_streams_start(name, at):
    """Of one stream only: the others remember. At a chunk's first step and inside one."""
    network, keep = network_of(name, n_blocks=2), torch.ones(4, 24, dtype=torch.float64)
    keep[1, at] = 0
    spikes = spikes_of(24)
    other = torch.cat([1 - spikes[:, :at], spikes[:, at:]], dim=1)
    before, after = (answer(network, s, keep, 8) for s in (spikes, other))
    torch.testing.assert_close(before[1, at:], after[1, at:], rtol=0, atol=1e-12)
    for stream in (0, 2, 3):
        assert (before[stream, at:] - after[stream, at:]).abs().max() > 1e-6


@names
def test_chunks_of_any_length_give_the_same_answers(name):
    network, keep = network_of(name), 1 - spikes_of(20, 1)[..., 0] * spikes_of(20, 2)[..., 0]
    whole = answer(network, spikes_of(20), keep, 20)
    torch.testing.assert_close(answer(network, spikes_of(20), keep, 3), whole, rtol=0, atol=1e-12)


def test_spans_end_where_a_stream_starts_anew():
    keep = torch.tensor([[0.0, 1, 1, 0, 1], [1.0, 1, 0, 1, 1]])
    found = [(span.start, span.stop, kept.tolist()) for span, kept in spans(keep)]
    assert found == [(0, 2, [0, 1]), (2, 3, [1, 0]), (3, 5, [0, 1])]


@names
def test_a_baseline_learns_to_recall_within_a_chunk(name):
    values = {**SMALL, "model": name, "chunk": 10, "learning_rate": 0.01, "batch": 16}
    experiment = Experiment(Config(**values).values())
    for _ in range(250):
        experiment.advance()
    assert experiment.validate(64)["accuracy"] > 0.95


@names
def test_a_resumed_baseline_is_the_undisturbed_one(name):
    undisturbed = Experiment(Config(**SMALL, model=name, n_blocks=2).values())
    for _ in range(12):
        undisturbed.advance()
    resumed = Experiment.from_state(*undisturbed.state())
    for experiment in (undisturbed, resumed):
        for _ in range(12):
            experiment.advance()
    ours, theirs = resumed.state()[0], undisturbed.state()[0]
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
    assert resumed.row == undisturbed.row


def test_a_run_of_a_baseline_is_a_run_like_any_other(tmp_path):
    result = train(Config(**SMALL, model="gru"), updates=20, out=tmp_path / "run")
    assert (result["sparsity"], result["firing_rate"]) == (0.0, None)
    assert evaluate(tmp_path / "run")["metrics"]["accuracy"] >= 0
    resumed = Recorder.resume(tmp_path / "run")
    resumed.advance()
    assert resumed.experiment.update == 21
    resumed.change({"optimizer": "sgd", "learning_rate": 0.1, "balance": 0.5, "chunk": 5})
    assert resumed.advance().steps == 5 * 4
    resumed.close()


def test_a_snapshot_shows_what_a_baseline_has_and_nothing_else():
    experiment = Experiment(Config(**SMALL, model="lstm").values())
    for _ in range(20):
        experiment.advance()
    shown = experiment.snapshot()
    assert shown.raster is not None
    assert shown.raster.groups == (("input", 12),)
    assert shown.raster.spikes.shape[0] == 12
    assert shown.pairs is None
    assert shown.figures.keys() >= {"loss", "sparsity", "steps_per_second"}
    assert not shown.figures.keys() & {"firing_rate", "stdp_rms"}
    assert "firing_rate" not in shown.curves


def test_a_baseline_that_leaves_its_bounds_says_why():
    values = {**SMALL, "model": "gru", "optimizer": "sgd", "learning_rate": 1.0, "chunk": 20}
    experiment = Experiment(Config(**values).values())
    experiment.learner.mean_loss = 1e9
    with pytest.raises(DivergenceError, match=r"lower learning_rate \(now 1\) or set clip"):
        experiment.advance()


def test_there_is_nothing_to_audit():
    with pytest.raises(ConfigError, match="model=lstm is trained by truncated BPTT"):
        audit(Config(model="lstm"))
