"""Records to streams: dealt once an epoch, begun anew, resumed exactly, bad ones left out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bim_explorer.config import Config
from bim_explorer.core.errors import DataError
from bim_explorer.core.interfaces import Task
from bim_explorer.tasks.records import Record, RecordTask

LENGTHS = (5, 9, 14, 7, 11)


class Ramps(RecordTask):
    """Records of known lengths; number 3 cannot be read if `bad`."""

    name, title, reads, metrics = "ramps", "Ramps", "", ("accuracy",)
    n_out, channels, own_encoder = len(LENGTHS), 2, "level-crossing"
    bad: frozenset[int] = frozenset()

    @classmethod
    def describe(cls, values):
        return "Synthetic ramps."

    def _open(self, values):
        return {"train": range(5), "validation": range(5), "test": ()}

    def load(self, reference):
        if reference in self.bad:
            raise DataError(f"record {reference} is cut off.")
        steps = LENGTHS[reference]
        signal = np.linspace(0, 3, steps, dtype=np.float32)[:, None] * [[1.0, -1.0]]
        verdict = np.arange(steps) == steps - 1
        return Record(signal, np.full(steps, reference), np.ones(steps, bool), verdict)


@pytest.fixture
def values():
    return Config(batch=2, seed=3).values()


def played(chunks):
    """(target, length) of every whole record that the streams played."""
    fields = [
        np.concatenate([getattr(chunk, name) for chunk in chunks], axis=1)
        for name in ("target", "keep", "mask")
    ]
    records = []
    for target, keep, mask in zip(*fields, strict=True):
        starts = np.flatnonzero(~keep & mask)
        ends = [*starts[1:], int(mask.nonzero()[0].max()) + 1]
        records += [(int(target[s]), int(e - s)) for s, e in zip(starts, ends, strict=True)]
    return records


def test_it_is_a_task(values):
    task = Ramps(values)
    assert isinstance(task, Task)
    assert task.synthetic
    assert task.chunk(4).spikes.shape == (2, 4, task.d_in)


def test_every_record_is_dealt_once_an_epoch(values):
    task = Ramps(values)
    task.chunk(400)
    first = [task._playing(number).record.target[0] for number in range(5)]
    second = [task._playing(number).record.target[0] for number in range(5, 10)]
    assert sorted(first) == sorted(second) == list(range(5))
    assert first != second
    assert [p.number % 2 for p in task._streams if p] == [0, 1]
    assert task._next == [p.number + 2 for p in task._streams if p]


def test_held_out_records_are_whole_and_all_there(values):
    for n_steps in (3, 64):
        chunks = list(Ramps(values).held_out("validation", n_steps))
        assert sorted(played(chunks)) == [(i, LENGTHS[i]) for i in range(5)]
        verdicts = sum(chunk.verdict.sum() for chunk in chunks)
        assert verdicts == len(LENGTHS)


def test_a_limit_ends_no_record_early(values):
    chunks = list(Ramps(values).held_out("validation", 4, limit=1))
    assert sorted(played(chunks)) == [(0, LENGTHS[0]), (1, LENGTHS[1])]


def test_cuts_make_no_difference(values):
    one, other = Ramps(values), Ramps(values)
    whole = one.chunk(60)
    pieces = [other.chunk(n) for n in (7, 13, 40)]
    for name in ("spikes", "target", "mask", "keep", "verdict"):
        joined = np.concatenate([getattr(piece, name) for piece in pieces], axis=1)
        np.testing.assert_array_equal(getattr(whole, name), joined)


def test_a_state_goes_through_json_and_on_exactly(values):
    task, other = Ramps(values), Ramps(values)
    task.chunk(33)
    other.load_state(json.loads(json.dumps(task.state())))
    for name in ("spikes", "target", "keep"):
        first, second = (getattr(t.chunk(50), name) for t in (task, other))
        np.testing.assert_array_equal(first, second)
        other.load_state(task.state())


def test_a_bad_record_is_left_out_and_told_once(values):
    task = Ramps(values)
    task.bad = frozenset({3})
    chunks = [task.chunk(500)]
    assert 3 not in {target for target, _ in played(chunks)}
    assert task.complaints == ["record 3 is cut off."]


def test_no_good_record_is_an_error(values):
    task = Ramps(values)
    task.bad = frozenset(range(5))
    with pytest.raises(DataError, match="none of the training records"):
        task.chunk(4)


def test_a_split_without_records_is_an_error(values):
    with pytest.raises(DataError, match="no record in the test split"):
        Ramps(values).held_out("test", 4)


def test_unseen_are_the_records_of_other_files(values):
    task = Ramps(values)
    assert task.used() == {"0", "1", "2", "3", "4"}
    chunks = list(task.unseen({"0", "3"}, 8))
    assert sorted(target for target, _ in played(chunks)) == [1, 2, 4]
    with pytest.raises(DataError, match="has not seen"):
        task.unseen(task.used(), 8)
