"""Judges against a library on whole arrays, and however the stream is cut into chunks."""

from __future__ import annotations

import json
from itertools import pairwise

import jiwer
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from bim_explorer.core.interfaces import Chunk
from bim_explorer.training.judges import SequenceJudge, VerdictJudge

BATCH, STEPS = 3, 400


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def stream(rng, n_labels=None):
    """Records of random length with one target each: logits and one long chunk."""
    target = np.zeros((BATCH, STEPS), np.int64)
    if n_labels:
        target = np.zeros((BATCH, STEPS, n_labels), np.float32)
    keep = np.ones((BATCH, STEPS), bool)
    verdict = np.zeros((BATCH, STEPS), bool)
    for b in range(BATCH):
        start = 0
        while start < STEPS:
            end = min(start + int(rng.integers(2, 12)), STEPS)
            target[b, start:end] = rng.integers(2, size=n_labels) if n_labels else rng.integers(3)
            keep[b, start], verdict[b, end - 1] = False, True
            start = end
    mask = rng.random((BATCH, STEPS)) < 0.7
    mask |= verdict
    logits = rng.normal(size=(BATCH, STEPS, n_labels or 3))
    spikes = np.zeros((BATCH, STEPS, 1), np.uint8)
    return logits, Chunk(spikes, target, mask, keep, verdict)


def cut(logits, chunk, size):
    """The same in chunks of `size` steps."""
    for start in range(0, STEPS, size):
        span = np.s_[:, start : start + size]
        assert chunk.verdict is not None
        fields = (chunk.spikes, chunk.target, chunk.mask, chunk.keep, chunk.verdict)
        yield logits[span], Chunk(*(field[span] for field in fields))


def means(logits, chunk):
    """Mean logits and target of every record, stream by stream."""
    scores, targets = [], []
    for b in range(BATCH):
        starts = [*np.flatnonzero(~chunk.keep[b]), STEPS]
        for start, end in pairwise(starts):
            scores.append(logits[b, start:end][chunk.mask[b, start:end]].mean(0))
            targets.append(chunk.target[b, end - 1])
    return np.array(scores), np.array(targets)


@pytest.mark.parametrize("size", [1, 7, STEPS])
def test_several_labels_are_judged_as_by_the_library_on_all_records(rng, size):
    logits, chunk = stream(rng, n_labels=4)
    judge = VerdictJudge(("auc_roc", "auc_pr"))
    for piece in cut(logits, chunk, size):
        judge.add(*piece)
    scores, targets = means(logits, chunk)
    told = judge.metrics()
    assert judge.n == len(scores)
    assert told["auc_roc"] == pytest.approx(roc_auc_score(targets, scores, average="macro"))
    expected = average_precision_score(targets, scores, average="macro")
    assert told["auc_pr"] == pytest.approx(expected)
    low, high = judge.intervals()["auc_roc"]
    assert low < told["auc_roc"] < high


@pytest.mark.parametrize("size", [1, 7, STEPS])
def test_one_class_is_judged_by_the_mean_of_its_record(rng, size):
    logits, chunk = stream(rng)
    judge = VerdictJudge(("accuracy",))
    for piece in cut(logits, chunk, size):
        judge.add(*piece)
    scores, targets = means(logits, chunk)
    assert judge.metrics() == {"accuracy": pytest.approx((scores.argmax(1) == targets).mean())}


def test_an_area_needs_both_answers(rng):
    judge = VerdictJudge(("auc_roc",))
    chunk = Chunk(*(np.zeros((1, 1, 1)), np.zeros((1, 1), int), *(np.ones((1, 1), bool),) * 3))
    judge.add(rng.normal(size=(1, 1, 2)), chunk)
    assert judge.n == 1
    assert judge.metrics() == {}


def test_sequences_are_merged_and_parted_at_blanks():
    symbols = ("", "one ", "two ")
    said = np.array([[1, 1, 0, 1, 2, 2, 0, 0]])
    heard = np.array([[1, 1, 1, 1, 2, 0, 2, 0]])
    mask = np.ones_like(said, bool)
    keep, verdict = mask.copy(), ~mask
    keep[0, 0], verdict[0, -1] = False, True
    judge = SequenceJudge(("word_error_rate", "character_error_rate"), symbols)
    judge.add(np.eye(3)[heard], Chunk(said[..., None], said, mask, keep, verdict))
    assert judge.metrics() == {
        "word_error_rate": pytest.approx(jiwer.wer("one one two", "one two two")),
        "character_error_rate": pytest.approx(jiwer.cer("one one two", "one two two")),
    }


def test_parted_symbols_are_the_runs_that_are_not_blank():
    symbols = ("", "one ", "two ")
    said = np.array([[0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 2, 2]])
    likely = np.array([[0, 1, 2, 1, 0, 2, 0, 1, 1, 0, 2, 2]])
    logits = 3.0 * np.eye(3)[likely]
    mask = np.ones_like(said, bool)
    keep, verdict = mask.copy(), ~mask
    keep[0, 0], verdict[0, -1] = False, True
    for size in (1, 5, 12):
        judge = SequenceJudge(("word_error_rate",), symbols, parted=True)
        for start in range(0, 12, size):
            span = np.s_[:, start : start + size]
            fields = (said[..., None], said, mask, keep, verdict)
            judge.add(logits[span], Chunk(*(field[span] for field in fields)))
            judge.load_state(json.loads(json.dumps(judge.state())))
        assert judge._seen[0] == ("one one two", "one one two")


def test_a_state_goes_through_json_and_on_exactly(rng):
    logits, chunk = stream(rng, n_labels=2)
    pieces = list(cut(logits, chunk, 9))
    whole, first, second = (VerdictJudge(("auc_roc",), window=20) for _ in range(3))
    for piece in pieces:
        whole.add(*piece)
    for piece in pieces[:5]:
        first.add(*piece)
    second.load_state(json.loads(json.dumps(first.state())))
    for piece in pieces[5:]:
        second.add(*piece)
    assert second.state() == whole.state()
