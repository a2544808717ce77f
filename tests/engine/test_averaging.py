"""Averaged weights: by hand, without a trace in what learns, and what of them is judged."""

from __future__ import annotations

import pytest
import torch
from networks import random_chunk

from bim_explorer.config import Config
from bim_explorer.engine.averaging import WeightAverage
from bim_explorer.engine.learner import Learner
from bim_explorer.engine.network import build_network
from bim_explorer.kernels import kernels_for


def learner_of(updates: int, **values) -> Learner:
    config = Config(d_model=6, d_state=2, batch=2, v_th=0.3, dtype="float64", **values).values()
    learner = Learner(build_network(config, 5, 3, 0.2, kernels_for("torch")), config)
    for seed in range(updates):
        learner.update(random_chunk(2, 8, 5, 3, seed))
    return learner


@pytest.mark.parametrize(
    ("decay", "mean"), [(0.0, (1 + 2 + 6) / 3), (1.0, (1 * 1 + 2 * 2 + 3 * 6) / 6)]
)
def test_average_by_hand_evenly_and_with_linear_weights(decay, mean):
    average = WeightAverage({"w": torch.tensor([9.0])})
    for value in (1.0, 2.0, 6.0):
        average.step({"w": torch.tensor([value])}, decay)
    torch.testing.assert_close(average.mean["w"], torch.tensor([mean]))


def test_averaging_changes_what_is_judged_and_not_what_learns():
    plain, averaged = learner_of(6), learner_of(6, averaging=2.0)
    assert plain.judged is plain.network
    judged = averaged.judged.parameters()
    for name, tensor in plain.network.parameters().items():
        assert torch.equal(averaged.network.parameters()[name], tensor)
        assert not torch.equal(judged[name], tensor)


def test_a_pruned_synapse_is_gone_from_the_average():
    learner = learner_of(12, averaging=2.0, target_sparsity=0.5, prune_every=2)
    mask = learner.synapses[0].mask
    assert 0 < learner.synapses[0].pruned < mask.numel()
    assert not learner.judged.blocks[0].theta.W[~mask.bool()].any()


def test_averaging_begins_anew_when_it_is_switched_on_again():
    learner = learner_of(4, averaging=2.0)
    learner.apply({"averaging": 0.0})
    learner.update(random_chunk(2, 8, 5, 3, 4))
    assert learner.judged is learner.network
    learner.apply({"averaging": 2.0})
    learner.update(random_chunk(2, 8, 5, 3, 5))
    for name, tensor in learner.network.parameters().items():
        torch.testing.assert_close(learner.judged.parameters()[name], tensor)
