"""The event-driven engine against the dense one at K = 1, in float64: the same learning.

The dense one is `Learner` with chunk = 1, whose gradient `test_rtrl` holds against BPTT.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from networks import random_case, random_chunk, relative_error

from bim_explorer.config import Config
from bim_explorer.core.errors import DivergenceError
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.event import EventNetwork
from bim_explorer.engine.learner import Learner
from bim_explorer.engine.stepwise import Stepwise
from bim_explorer.functional.event import Column, StepMap, carry, compose, step_map
from bim_explorer.functional.rtrl import Families, rows
from bim_explorer.training.checkpoint import learner_state, load_learner

pytestmark = pytest.mark.usefixtures("every_backend")

STEP_BY_STEP = {"chunk": 1, "batch": 1, "optimizer": "sgd", "learning_rate": 0.003, "w_max": 100.0}
UPDATES = 240


def learner_of(seed: int, inputs: int, event_driven: bool, **values) -> Learner:
    network, _, config = random_case(seed, steps=1, inputs=inputs, **{**STEP_BY_STEP, **values})
    return Learner(network, Config.from_values({**config, "event_driven": event_driven}).values())


def pair_of(seed: int, inputs: int, **values) -> tuple[Learner, Learner]:
    """The same network twice: event-driven, and dense."""
    return learner_of(seed, inputs, True, **values), learner_of(seed, inputs, False, **values)


def stream(inputs: int, seed: int, rate: float = 0.05, steps: int = UPDATES) -> list[Chunk]:
    """Steps one by one; a stream begins anew about once in 25, half the steps have a loss."""
    whole = random_chunk(1, steps, inputs, 3, seed, rate)
    fields = (whole.spikes, whole.target, whole.mask, whole.keep)
    return [Chunk(*(f[:, t : t + 1] for f in fields)) for t in range(steps)]


def state_of(learner: Learner) -> dict[str, torch.Tensor]:
    """Weights, state, influences that a loss can read, and traces by name, as they are now."""
    tensors = dict(learner.network.parameters())
    for index, block in enumerate(learner.network.blocks):
        assert block.influence is not None
        own = {"h": block.state.h, "v": block.state.v, "psp": block.state.psp[0]}
        read = Families(membrane="z" in learner.values["readout"])
        influence = block.influence.kept_as(block.theta, block.families, read, None)._asdict()
        own |= {name: kept for name, kept in influence.items() if kept.numel()}
        own |= learner.synapses[index].traces
        tensors |= {f"{index}/{name}": tensor for name, tensor in own.items()}
    return {name: tensor.clone() for name, tensor in tensors.items()}


def error(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest relative error of any tensor."""
    assert set(one) == set(other)
    return max(float((a - other[k]).norm() / (other[k].norm() + 1e-9)) for k, a in one.items())


@example(seed=1138, inputs=19, neurons=18, states=3, rate=0.15, readout="y")
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    inputs=st.integers(1, 40),
    neurons=st.integers(1, 20),
    states=st.integers(1, 5),
    rate=st.sampled_from([0.01, 0.05, 0.15]),
    readout=st.sampled_from(["y", "z", "y+z"]),
)
def test_events_learn_what_the_dense_engine_learns(seed, inputs, neurons, states, rate, readout):
    event, dense = pair_of(seed, inputs, d_model=neurons, d_state=states, readout=readout)
    for chunk in stream(inputs, seed, rate):
        try:
            theirs = dense.update(chunk)
        except DivergenceError:  # a network drawn beyond learning's bounds: both say so
            with pytest.raises(DivergenceError):
                event.update(chunk)
            return
        ours = event.update(chunk)
        assert ours.loss == (None if theirs.loss is None else pytest.approx(theirs.loss, rel=1e-9))
        assert torch.equal(ours.traces[0].z, theirs.traces[0].z)
        torch.testing.assert_close(ours.logits, theirs.logits, rtol=1e-9, atol=1e-11)
    assert error(state_of(event), state_of(dense)) <= 1e-10


@pytest.mark.parametrize("grouping", [(1, 2), (3, 5), (16, 4)])
def test_however_steps_are_grouped_they_are_exact(grouping):
    dense = learner_of(3, 30, False, d_model=8, d_state=3)
    event = learner_of(3, 30, False, d_model=8, d_state=3)
    columns = EventNetwork(event.network, grouping=grouping)
    for chunk in stream(30, 5):
        columns.step(chunk, 0.003)
        dense.update(chunk)
    stale = {name: tensor.clone() for name, tensor in event.network.parameters().items()}
    columns.write_back()
    learned = dense.network.parameters()
    assert error(event.network.parameters(), learned) <= 1e-10
    assert error(stale, learned) > 1e-2, "nothing was learned: the test could not fail"


def test_every_parameter_moves_and_so_every_rule_is_tried():
    event, _ = pair_of(7, 20, d_model=6, d_state=3)
    before = {name: tensor.clone() for name, tensor in event.network.parameters().items()}
    for chunk in stream(20, 7):
        event.update(chunk)
    for name, tensor in event.network.parameters().items():
        assert relative_error(tensor, before[name]) > 1e-4, name


def test_blocks_with_a_loss_of_their_own_learn_event_by_event_in_a_stack():
    event, dense = pair_of(11, 25, d_model=7, d_state=2, n_blocks=2, credit="local")
    for chunk in stream(25, 11):
        ours, theirs = event.update(chunk), dense.update(chunk)
        torch.testing.assert_close(ours.logits, theirs.logits, rtol=1e-9, atol=1e-11)
    assert error(state_of(event), state_of(dense)) <= 1e-10


def test_several_labels_at_once():
    event, dense = pair_of(2, 20, d_model=5, d_state=2)
    rng = np.random.default_rng(2)
    for chunk in stream(20, 2):
        labels = rng.integers(-1, 2, size=(1, 1, 3)).astype(np.float32)
        chunk = Chunk(chunk.spikes, labels, chunk.mask, chunk.keep)
        event.update(chunk)
        dense.update(chunk)
    assert error(state_of(event), state_of(dense)) <= 1e-10


@pytest.mark.parametrize("by_events", [True, False])
def test_many_steps_in_one_call_are_the_engine_at_chunks_of_one(by_events):
    dense, twin = (learner_of(5, 24, False, d_model=9, d_state=4) for _ in range(2))
    chunks = stream(24, 6)
    fields = ("spikes", "target", "mask", "keep")
    whole = Chunk(*(np.concatenate([getattr(c, f) for c in chunks], 1) for f in fields))
    steps = Stepwise(twin.network, 0.003, by_events)
    losses = steps.run(whole)
    expected = [dense.update(chunk).loss or 0.0 for chunk in chunks]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-12)
    steps.columns.write_back()
    for name, theirs in dense.network.parameters().items():
        ours = twin.network.parameters()[name]
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12, msg=name)
    ours, theirs = (net.blocks[0].influence for net in (twin.network, dense.network))
    assert ours is not None
    torch.testing.assert_close(
        ours.keyed[:, :, :-1], theirs.keyed[:, :, :-1], rtol=1e-12, atol=1e-12
    )


def test_a_stack_is_refused_where_one_block_is_asked_for():
    network, _, _ = random_case(0, n_blocks=2, batch=1)
    with pytest.raises(ValueError, match="1 block and 1 stream, got 2 and 1"):
        Stepwise(network, 0.01, by_events=True)


def test_weights_are_kept_in_their_bound():
    event, _ = pair_of(4, 12, d_model=5, d_state=2, w_max=0.3)
    for chunk in stream(12, 4):
        event.update(chunk)
    assert float(event.network.blocks[0].theta.W.abs().max()) <= 0.3


def test_a_resumed_run_is_the_undisturbed_one_bit_by_bit():
    undisturbed, resumed = (
        pair_of(9, 30, d_model=6, d_state=3)[0],
        learner_of(8, 30, True, d_model=6, d_state=3),
    )
    chunks = stream(30, 9)
    for chunk in chunks[:101]:
        undisturbed.update(chunk)
    load_learner(resumed, *learner_state(undisturbed))
    for chunk in chunks[101:]:
        undisturbed.update(chunk)
        resumed.update(chunk)
    ours, theirs = learner_state(resumed)[0], learner_state(undisturbed)[0]
    assert ours.keys() == theirs.keys()
    assert any(name.startswith("event/") for name in ours)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_who_looks_does_not_disturb():
    watched, alone = (learner_of(6, 30, True, d_model=6, d_state=3) for _ in range(2))
    for chunk in stream(30, 6):
        result = watched.update(chunk, watch=True)
        alone.update(chunk)
        if result.loss is not None:
            assert result.weights_before is not None
            moved = watched.synapses[0].weights - result.weights_before[0]
            torch.testing.assert_close(moved, -0.003 * watched.synapses[0].gradient)
    ours, theirs = watched.event_arrays(), alone.event_arrays()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_live_change_folds_the_columns_back_and_goes_on_densely():
    event, dense = pair_of(12, 20, d_model=6, d_state=3)
    chunks = stream(20, 12)
    for chunk in chunks[:100]:
        event.update(chunk)
        dense.update(chunk)
    change = {"balance": 0.5, "mixing": "raw", "clip": 1.0}
    event.apply({"event_driven": False, **change})
    dense.apply(change)
    for chunk in chunks[100:]:
        event.update(chunk)
        dense.update(chunk)
    assert not event.event_arrays()
    assert error(state_of(event), state_of(dense)) <= 1e-10


def test_a_rate_that_changes_and_constants_that_change_stay_exact():
    event, dense = pair_of(13, 20, d_model=6, d_state=3, cooling=50)
    chunks = stream(20, 13)
    for learner in (event, dense):
        for index, chunk in enumerate(chunks):
            if index == 120:
                learner.apply({"tau_psp_ms": 3.0, "v_th": 0.8, "learning_rate": 0.002})
            learner.update(chunk)
    assert error(state_of(event), state_of(dense)) <= 1e-10


def maps_of(learner: Learner, chunks: list[Chunk]) -> list[StepMap]:
    """The map of each step by the reference, while the dense engine learns."""
    network, maps = learner.network, []
    for chunk in chunks:
        theta = type(network.blocks[0].theta)(*(t.clone() for t in network.blocks[0].theta))
        W_y, W_z = network.readout.W_y[0].clone(), network.readout.W_z[0].clone()
        result = learner.update(chunk)
        error = torch.softmax(result.logits[0, 0], 0)
        error[int(chunk.target[0, 0])] -= 1.0
        error = error * float(chunk.mask[0, 0])
        signals = (error @ W_y, error @ W_z)
        rate = learner.rule.learning_rate
        membrane = network.dynamics.membrane
        maps.append(step_map(result.traces[0], theta, membrane, *signals, rate))
    return maps


def column_of(learner: Learner, j: int) -> Column:
    """One input's influences and weights in the dense engine."""
    block = learner.network.blocks[0]
    theta, (neurons, states) = block.theta, block.theta.A_log.shape
    weights = [theta.W[:, j], theta.W_delta[:, j], theta.W_B[:, j], theta.W_C[:, j]]
    if block.influence is None:
        zeros = torch.zeros(neurons, states, dtype=torch.float64)
        E = [zeros] * 3 + [zeros[:, 0]] * 2 + [zeros] * 2
    else:
        E = [r[0, :, j].T for r in rows(block.influence.keyed, states, block.families)]
        E[3], E[4] = E[3][:, 0], E[4][:, 0]
    return Column(*(t.clone() for t in [*E, *weights]))


def test_composed_maps_carry_a_column_over_many_steps_at_once():
    # A map reads how the potentials went through the state space, which the reference tells.
    learner = learner_of(14, 8, False, d_model=5, d_state=3, backend="torch")
    chunks = stream(8, 14, steps=60)
    for chunk in chunks[:20]:
        learner.update(chunk)
    j, kappa = 2, learner.network.dynamics.psp_decay
    for chunk in chunks[20:]:
        chunk.spikes[..., j] = 0
    chunks[20].spikes[..., j] = 1
    keep = [float(chunk.keep[0, 0]) for chunk in chunks]
    before = column_of(learner, j)
    key = kappa * keep[20] * float(learner.network.blocks[0].state.psp[0][0, j]) + 1.0
    maps = maps_of(learner, chunks[20:])
    whole, turned = maps[0], maps[-1]
    for t in range(1, 40):
        whole = compose(whole, maps[t], kappa * keep[20 + t])
        turned = compose(turned, maps[-1 - t], kappa * keep[20 + t])
    expected = column_of(learner, j)
    for name, ours in carry(before, key, whole)._asdict().items():
        theirs = getattr(expected, name)
        assert float((ours - theirs).abs().max()) <= 1e-11, name
    assert key * whole.key == pytest.approx(float(learner.network.blocks[0].state.psp[0][0, j]))
    assert relative_error(carry(before, key, turned).W, expected.W) > 1e-6, "order must matter"
