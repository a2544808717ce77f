from __future__ import annotations

import json

import numpy as np
import pytest
from chunks import assert_same, joined
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bim_explorer.core.errors import ConfigError, DataError
from bim_explorer.tasks.delayed_recall import N_CUES, N_SYMBOLS, QUERY, DelayedRecall

shared_values = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
chunk_sizes = st.lists(st.integers(1, 13), min_size=1, max_size=8)


def symbols_of(task: DelayedRecall, spikes: np.ndarray) -> np.ndarray:
    """Undo the population code."""
    table = task._code.table.astype(int)
    return (spikes.astype(int) @ table.T == table.sum(1)).argmax(-1)


def test_a_trial_is_cue_distractors_query(recall_values):
    task = DelayedRecall(recall_values())
    chunk = task.chunk(10)
    symbols = symbols_of(task, chunk.spikes)
    for start in (0, 5):
        assert (symbols[:, start] < N_CUES).all()
        between = symbols[:, start + 1 : start + 4]
        assert ((between >= N_CUES) & (between < QUERY)).all()
        assert (symbols[:, start + 4] == QUERY).all()
        np.testing.assert_array_equal(chunk.target[:, start + 4], symbols[:, start])
    once = [False, False, False, False, True]
    np.testing.assert_array_equal(chunk.mask, [once * 2] * 2)
    np.testing.assert_array_equal(chunk.keep, [[False, True, True, True, True] * 2] * 2)


def test_all_cues_and_distractors_come_equally_often(recall_values):
    task = DelayedRecall(recall_values(batch=64, delay=1))
    chunk = task.chunk(3 * 400)
    counts = np.bincount(symbols_of(task, chunk.spikes).ravel(), minlength=N_SYMBOLS)
    expected = 64 * 400 * np.array([0.25] * 8 + [1])
    np.testing.assert_allclose(counts, expected, rtol=0.05)


@shared_values
@given(sizes=chunk_sizes, delay=st.integers(1, 9), seed=st.integers(0, 9))
def test_chunks_joined_are_one_long_chunk(recall_values, sizes, delay, seed):
    values = recall_values(delay=delay, seed=seed)
    short, long = DelayedRecall(values), DelayedRecall(values)
    assert_same(joined(short.chunk(n) for n in sizes), long.chunk(sum(sizes)))


@shared_values
@given(before=chunk_sizes, after=chunk_sizes, used=st.integers(0, 20))
def test_state_goes_on_exactly_from_any_step(recall_values, before, after, used):
    task, other = DelayedRecall(recall_values()), DelayedRecall(recall_values(seed=7))
    task._code = other._code
    for n in before:
        task.chunk(n)
    other.chunk(used + 1)
    other.load_state(json.loads(json.dumps(task.state())))
    for n in after:
        assert_same(task.chunk(n), other.chunk(n))


def test_a_fresh_state_starts_anew(recall_values):
    task = DelayedRecall(recall_values())
    fresh, first = task.state(), task.chunk(7)
    task.load_state(fresh)
    assert_same(task.chunk(7), first)


def test_seed_reproduces_and_another_seed_differs(recall_values):
    one, same, other = (DelayedRecall(recall_values(seed=s)).chunk(50) for s in (1, 1, 2))
    assert_same(one, same)
    assert (one.target != other.target).any()


def test_a_new_delay_acts_at_the_next_trial(recall_values):
    task = DelayedRecall(recall_values())
    task.chunk(2)
    task.set("delay", 1)
    chunk = task.chunk(3 + 3 + 3)
    np.testing.assert_array_equal(
        chunk.mask[0], [False, False, True, False, False, True, False, False, True]
    )
    np.testing.assert_array_equal(chunk.keep[0], [True, True, True, *[False, True, True] * 2])


def test_a_new_delay_before_the_first_step_acts_at_once(recall_values):
    task = DelayedRecall(recall_values())
    task.set("delay", "1")
    np.testing.assert_array_equal(task.chunk(3).mask[0], [False, False, True])


def test_state_holds_a_delay_that_is_still_to_come(recall_values):
    task, other = DelayedRecall(recall_values()), DelayedRecall(recall_values())
    task.chunk(2)
    task.set("delay", 6)
    other.load_state(task.state())
    assert_same(task.chunk(20), other.chunk(20))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_held_out_is_the_same_at_every_call(recall_values, split):
    task = DelayedRecall(recall_values())
    before = joined(task.held_out(split, 4, 50))
    trained = task.chunk(33)
    assert_same(joined(task.held_out(split, 7, 50)), before)
    fresh = DelayedRecall(recall_values())
    assert_same(fresh.chunk(33), trained)
    assert_same(joined(fresh.held_out(split, 50, 50)), before)


def test_held_out_splits_differ_from_each_other_and_from_training(recall_values):
    task = DelayedRecall(recall_values(batch=16))
    validation = joined(task.held_out("validation", 50, 50)).target
    test = joined(task.held_out("test", 50, 50)).target
    assert (validation != test).any()
    assert (validation != task.chunk(50).target).any()


@pytest.mark.parametrize(
    ("limit", "steps"), [(1, 5), (5, 5), (9, 5), (10, 10), (256, 255), (None, 80)]
)
def test_held_out_gives_whole_trials_and_at_least_one(recall_values, limit, steps):
    chunks = list(DelayedRecall(recall_values()).held_out("validation", 8, limit))
    assert sum(chunk.n_steps for chunk in chunks) == steps
    assert all(chunk.n_steps == 8 for chunk in chunks[:-1])
    assert not chunks[0].keep[:, 0].any()
    assert chunks[-1].mask[:, -1].all()


def test_held_out_follows_the_delay_in_force_when_asked(recall_values):
    task = DelayedRecall(recall_values())
    chunks = task.held_out("validation", 3, 1)
    task.set("delay", 1)
    assert sum(chunk.n_steps for chunk in chunks) == 5
    assert sum(chunk.n_steps for chunk in task.held_out("validation", 3, 1)) == 3


def test_what_cannot_be_set_or_read_is_refused(recall_values):
    task = DelayedRecall(recall_values())
    with pytest.raises(ConfigError, match="unknown live parameter of delayed-recall 'seed'"):
        task.set("seed", 1)
    with pytest.raises(ConfigError, match="delay must be ≥ 1, got 0"):
        task.set("delay", 0)
    with pytest.raises(DataError, match=r"unknown split 'train'.*Known: test, validation"):
        task.held_out("train", 8)
    with pytest.raises(ConfigError, match="raise code_size"):
        DelayedRecall(recall_values(code_size=4, code_active=1))
