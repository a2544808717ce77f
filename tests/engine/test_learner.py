"""The learner: what a live change does, what a chunk without a loss does, where it stops."""

from __future__ import annotations

import math

import pytest
import torch
from networks import random_chunk

from bim_explorer.config import Config
from bim_explorer.core.errors import DivergenceError
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.initial import inverse_softplus, moved_delta_bias
from bim_explorer.engine.learner import OMEGA_EVERY, Learner
from bim_explorer.engine.network import build_network
from bim_explorer.engine.optimizer import clipped
from bim_explorer.functional.rtrl import Families, rows
from bim_explorer.kernels import kernels_for


def learner_of(backend: str = "torch", **values) -> Learner:
    small = {"d_model": 6, "d_state": 2, "batch": 2, "v_th": 0.3, "dtype": "float64"}
    config = Config(**{**small, **values}).values()
    network = build_network(config, 5, 3, 0.2, kernels_for(backend))
    return Learner(network, config)


def chunk(seed: int = 0, supervised: bool = True) -> Chunk:
    data = random_chunk(2, 8, 5, 3, seed)
    return data if supervised else Chunk(data.spikes, data.target, data.mask & False, data.keep)


def weights(learner: Learner) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in learner.network.parameters().items()}


def moved(learner: Learner, before: dict[str, torch.Tensor]) -> set[str]:
    after = learner.network.parameters()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_the_same_seed_learns_the_same_weights():
    runs = []
    for _ in range(2):
        learner = learner_of(balance=0.5, target_sparsity=0.3, prune_every=2)
        for seed in range(6):
            learner.update(chunk(seed))
        runs.append(weights(learner))
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])


def test_a_chunk_without_a_loss_moves_nothing_at_full_balance():
    learner = learner_of(balance=1.0)
    learner.update(chunk(0))
    before = weights(learner)
    assert learner.update(chunk(1, supervised=False)).loss is None
    assert moved(learner, before) == set()


def test_a_chunk_without_a_loss_moves_the_synapses_by_stdp_alone():
    learner = learner_of(balance=0.5)
    learner.update(chunk(0))
    before = weights(learner)
    learner.update(chunk(1, supervised=False))
    assert moved(learner, before) == {"block0.W"}


def test_at_zero_balance_synapses_follow_stdp_exactly_and_the_rest_learns():
    learner = learner_of(balance=0.0, optimizer="sgd", learning_rate=0.01)
    before = weights(learner)
    learner.update(chunk(0))
    step = learner.network.parameters()["block0.W"] - before["block0.W"]
    torch.testing.assert_close(step, 0.01 * learner.synapses[0].omega)
    assert "block0.A_log" in moved(learner, before)


def test_at_full_balance_the_local_rule_follows_and_is_asked_now_and_then():
    learner = learner_of(balance=1.0)
    synapses, asked = learner.synapses[0], []
    always = learner_of(balance=1.0).synapses[0]
    for seed in range(OMEGA_EVERY + 1):
        before = synapses.omega
        result = learner.update(chunk(seed))
        seen = (result.chunk.spikes, result.traces[0].z, result.chunk.keep)
        always.pair(*seen, learner.rule, asked=True)
        asked.append(synapses.omega is not before)
        for name, trace in always.traces.items():
            torch.testing.assert_close(synapses.traces[name], trace)
    assert asked == [True, *[False] * (OMEGA_EVERY - 1), True]
    assert synapses.squares.count == OMEGA_EVERY + 1
    learner.apply({"balance": 0.5})
    result = learner.update(chunk(99))
    seen = (result.chunk.spikes, result.traces[0].z, result.chunk.keep)
    always.pair(*seen, learner.rule, asked=True)
    torch.testing.assert_close(synapses.omega, always.omega)


def test_a_new_local_rule_is_asked_at_once_at_full_balance():
    learner = learner_of(balance=1.0)
    for seed in range(3):
        learner.update(chunk(seed))
    learner.apply({"rule": "oja"})
    assert not learner.synapses[0].omega.any()
    learner.update(chunk(3))
    assert learner.synapses[0].omega.any()


def test_only_synapses_and_readout_learn_when_asked():
    learner = learner_of(learn="synapses")
    before = weights(learner)
    learner.update(chunk(0))
    assert moved(learner, before) == {"block0.W", "readout.W_y", "readout.W_z", "readout.b"}


def test_sgd_is_the_papers_rule_and_the_printed_sign_turns_it_round():
    steps = []
    for as_printed in (False, True):
        learner = learner_of(optimizer="sgd", as_printed_update=as_printed)
        before = weights(learner)
        learner.update(chunk(0))
        after = learner.network.parameters()
        steps.append({name: after[name] - before[name] for name in before})
    torch.testing.assert_close(steps[1]["block0.W"], -steps[0]["block0.W"])
    torch.testing.assert_close(steps[1]["block0.W_B"], steps[0]["block0.W_B"])


def test_a_long_gradient_is_shortened_and_a_short_one_is_not():
    gradient = {"a": torch.tensor([3.0]), "b": torch.tensor([4.0])}
    short, same = clipped(gradient, 1.0, gradient), clipped(gradient, 9.0, gradient)
    assert [float(short[name]) for name in "ab"] == pytest.approx([0.6, 0.8])
    assert [float(same[name]) for name in "ab"] == pytest.approx([3.0, 4.0])


def test_synapses_stay_in_their_bounds():
    learner = learner_of(w_max=0.2)
    learner.update(chunk(0))
    assert float(learner.network.parameters()["block0.W"].abs().max()) <= 0.2


def test_pruned_synapses_stay_at_zero_whatever_the_rule():
    learner = learner_of(balance=0.5, target_sparsity=0.5, prune_every=1, threshold_rate=0.5)
    for seed in range(60):
        learner.update(chunk(seed))
    assert learner.sparsity == pytest.approx(0.5, abs=0.02)
    pruned = ~learner.synapses[0].mask
    assert not learner.synapses[0].weights[pruned].any()
    memory = learner.optimizer.state()["block0.W/exp_avg"]
    learner.update(chunk(99))
    assert not learner.synapses[0].weights[pruned].any()
    assert not memory[pruned].any()


def test_a_lowered_target_regrows_only_where_asked():
    sparsity = {}
    for regrow in ("off", "random", "gradient"):
        learner = learner_of(target_sparsity=0.6, prune_every=1, threshold_rate=0.5, regrow=regrow)
        for seed in range(60):
            learner.update(chunk(seed))
        learner.apply({"target_sparsity": 0.2})
        learner.update(chunk(61))
        sparsity[regrow] = learner.sparsity
    assert sparsity["off"] == pytest.approx(0.6, abs=0.02)
    assert sparsity["random"] == sparsity["gradient"] == pytest.approx(0.2, abs=0.02)


#: Pruned fast, and far enough that living synapses have columns of their own.
PRUNED = {"target_sparsity": 0.9, "prune_every": 1, "threshold_rate": 0.5}


@pytest.mark.parametrize("backend", ["torch", "numba"])
@pytest.mark.parametrize("changes", [{}, {"learn": "synapses"}, {"readout": "y"}, {"clip": 0.1}])
def test_living_synapses_learn_alike_whether_pruned_influences_are_kept(backend, changes):
    apart, among_all = (
        learner_of(backend, **changes, regrow=regrow, target_sparsity=0.8)
        for regrow in ("off", "gradient")
    )
    for learner in (apart, among_all):
        learner.synapses[0].mask = torch.arange(30).view(6, 5) % 5 == 2
    for seed in range(40):
        for learner in (apart, among_all):
            learner.update(chunk(seed, supervised=seed % 3 > 0))
    assert apart.sparsity == among_all.sparsity == 0.8
    forms = [learner.network.blocks[0].families.dense for learner in (apart, among_all)]
    assert forms == [False, True]
    theirs = weights(among_all)
    for name, tensor in weights(apart).items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-9, atol=1e-11)


def influence_of(learner: Learner) -> torch.Tensor:
    """E of W (b, state, input, neuron); 0 where it is not kept."""
    block = learner.network.blocks[0]
    assert block.influence is not None
    whole = block.influence.kept_as(block.theta, block.families, Families(), None)
    return rows(whole.keyed, block.theta.A_log.shape[1], Families()).h_W[:, :, :-1]


def test_few_living_synapses_alone_keep_influences_and_new_ones_begin_at_zero():
    learner = learner_of(**PRUNED)
    for seed in range(40):
        learner.update(chunk(seed))
    mask, block = learner.synapses[0].mask, learner.network.blocks[0]
    learner.update(chunk(40))
    assert block.influence is not None
    assert block.influence.sparse.shape == (2, 3, int(mask.sum()))
    assert not (influence_of(learner) * ~mask.T).any()
    lived = influence_of(learner)
    assert lived.any()

    learner.apply({"regrow": "random", "target_sparsity": 0.8})
    learner.update(chunk(41, supervised=False))
    grown = learner.synapses[0].mask & ~mask
    assert grown.any()
    block.place = learner.synapses[0].place(learner.rule)
    kept = block._kept(block.families)
    assert kept.sparse.shape[2] == int(learner.synapses[0].mask.sum())
    assert not (influence_of(learner) * grown.T).any()
    assert (influence_of(learner) * mask.T).any()

    learner.apply({"target_sparsity": 0.0})
    learner.update(chunk(42))
    learner.update(chunk(43))
    assert block.families.dense
    assert (influence_of(learner) != 0).sum() > 0.5 * lived.numel()


def test_what_does_not_learn_has_no_influences():
    learner = learner_of(learn="synapses", readout="y")
    learner.update(chunk(0))
    influence = learner.network.blocks[0].influence
    assert influence is not None
    assert [x.numel() > 0 for x in influence] == [True, False, False, False, False, False]
    assert influence.keyed.shape[1] == 2
    learner.apply({"learn": "all", "readout": "yz"})
    learner.update(chunk(1))
    influence = learner.network.blocks[0].influence
    assert influence is not None
    assert all(influence._asdict()[name].any() for name in ("A_log_h", "A_log_v", "D_v"))


def test_what_moves_is_shortened_and_nothing_else_counts():
    """A pruned synapse's gradient, and a frozen parameter's, leave the step as long as it is."""
    lengths = []
    for clip in (0.0, 1e-3):
        learner = learner_of(
            learn="synapses", optimizer="sgd", learning_rate=1.0, clip=clip, w_max=1e3
        )
        synapses = learner.synapses[0]
        synapses.mask = torch.arange(5).expand(6, 5) < 3
        synapses.bound(1e3)
        before = weights(learner)
        learner.update(chunk(0))
        after = learner.network.parameters()
        moves = [after[name] - before[name] for name in before]
        lengths.append(float(torch.cat([move.flatten() for move in moves]).norm()))
    assert lengths[0] > 1e-2
    assert lengths[1] == pytest.approx(1e-3, rel=1e-4)


def test_pruning_as_printed_runs_past_its_target():
    learner = learner_of(target_sparsity=0.3, prune_every=1, as_printed_pruning=True)
    for seed in range(80):
        learner.update(chunk(seed))
    assert learner.sparsity > 0.8


def test_a_change_acts_at_the_next_update():
    learner = learner_of(optimizer="sgd", learning_rate=0.01)
    learner.apply({"learning_rate": 0.0})
    before = weights(learner)
    learner.update(chunk(0))
    assert moved(learner, before) == set()


def test_exact_credit_starts_its_influences_at_zero_from_the_switch():
    learner = learner_of(credit="truncated", learning_rate=0.0)
    learner.update(chunk(0))
    assert learner.network.blocks[0].influence is None
    learner.apply({"credit": "exact"})
    learner.update(chunk(1))
    assert learner.network.blocks[0].influence is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd"},
        {"psp_kernel": "alpha", "tau_psp_ms": 5.0},
        {"readout": "y"},
        {"v_th": 1.5, "tau_mem_ms": 8.0, "dt_ms": 0.5},
        {"credit": "local", "mixing": "raw", "learn": "synapses"},
        {"delta_min": 0.01, "delta_max": 0.2},
        {"a_plus": 0.5, "tau_minus_ms": 40.0, "w_max": 1.0, "chunk": 3},
    ],
)
def test_every_live_change_goes_on_learning(changes):
    learner = learner_of(n_blocks=2, balance=0.5)
    learner.update(chunk(0))
    learner.apply(changes)
    for seed in range(1, 4):
        loss = learner.update(chunk(seed)).loss
        assert loss is not None
        assert math.isfinite(loss)


def test_moving_the_delta_range_maps_its_ends():
    old, new = (0.01, 0.1), (0.001, 1.0)
    bias = inverse_softplus(torch.tensor([0.01, 0.1, 0.0316227766], dtype=torch.float64))
    there = torch.nn.functional.softplus(moved_delta_bias(bias, old, new))
    expected = torch.tensor([0.001, 1.0, 0.0316227766], dtype=torch.float64)
    torch.testing.assert_close(there, expected, rtol=1e-6, atol=0)


def test_divergence_stops_with_a_reason():
    learner = learner_of(optimizer="sgd", learning_rate=1.0)
    learner.network.readout.b.mul_(0).add_(torch.tensor([100.0, 0.0, -100.0]).double())
    with pytest.raises(DivergenceError, match="lower learning_rate"):
        learner.update(chunk(0))
    learner.apply({"as_printed_update": True})
    with pytest.raises(DivergenceError, match="as printed adds the gradient"):
        learner.update(chunk(0))


def test_cooling_makes_later_updates_smaller():
    steps = []
    for cooling in (0, 1):
        learner = learner_of(optimizer="sgd", cooling=cooling)
        learner.update_count = 3
        before = weights(learner)
        learner.update(chunk(0))
        steps.append(learner.network.readout.b - before["readout.b"])
    torch.testing.assert_close(steps[1], steps[0] / 2)


def test_another_local_rule_begins_at_rest_and_acts_at_the_next_update():
    learner = learner_of(balance=0.0)
    learner.update(chunk(0))
    assert set(learner.synapses[0].traces) == {"trace_pre", "trace_post"}
    learner.apply({"rule": "oja"})
    synapses = learner.synapses[0]
    assert set(synapses.traces) == {"rate_pre", "rate_post"}
    assert not any(trace.any() for trace in synapses.traces.values())
    assert synapses.squares.count == 0
    learner.update(chunk(1))
    assert synapses.traces["rate_pre"].any()
    assert synapses.omega.any()


def test_weights_that_are_asked_to_move_decay_and_nothing_else():
    learner = learner_of(optimizer="sgd", learning_rate=0.1)
    before = weights(learner)
    still = {name: torch.zeros_like(tensor) for name, tensor in before.items()}
    del still["block0.W_C"]
    learner.optimizer.step(still, 0.1, 0.5)
    after = learner.network.parameters()
    decayed = {"block0.W", "block0.W_delta", "block0.W_B", "readout.W_y", "readout.W_z"}
    assert moved(learner, before) == decayed
    for name in decayed:
        torch.testing.assert_close(after[name], before[name] * 0.95)


def test_decay_is_a_rule_of_every_update():
    plain, decaying = (learner_of(optimizer="sgd", weight_decay=decay) for decay in (0.0, 1.0))
    start = weights(plain)
    for learner in (plain, decaying):
        learner.update(chunk())
    shrunk = start["readout.W_y"] * plain.rule.learning_rate
    difference = weights(plain)["readout.W_y"] - weights(decaying)["readout.W_y"]
    torch.testing.assert_close(difference, shrunk)
