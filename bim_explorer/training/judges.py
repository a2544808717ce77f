"""Judges: metrics that are read of whole records rather than of single steps.

verdicts    at each verdict the mean of the logits since the last one, over supervised steps, is
            held against the target there: accuracy, auc_roc, auc_pr (macro over labels)
sequences   at each verdict the most likely class of every step since the record's start, repeats
            merged and blanks (class 0) dropped, is held against the targets treated alike:
            word_error_rate, character_error_rate. Where symbols are always parted by blanks, a
            run of steps that are likelier not blank is one symbol: the one with most of its votes

A judge goes along a stream as it comes: nothing is looked at twice, nothing ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from bim_explorer.core.interfaces import Chunk, Task

#: Draws of the bootstrap behind a confidence interval.
DRAWS = 500
BLANK = 0
#: Votes, in steps, that make a symbol where symbols are parted by blanks.
LEAST_VOTES = 1.5
_SEQUENCE = ("word_error_rate", "character_error_rate")
_AREAS = ("auc_roc", "auc_pr")


class Judge(Protocol):
    """What gathers verdicts and tells the metrics of those it remembers."""

    @property
    def n(self) -> int:
        """Verdicts that are remembered."""
        ...

    def add(self, logits: np.ndarray, chunk: Chunk) -> None:
        """Go on by a chunk with its logits, float (B, K, C)."""
        ...

    def metrics(self) -> dict[str, float]:
        """The metrics that can be told; an area needs both answers among the targets."""
        ...

    def state(self) -> dict[str, Any]:
        """All that an exact resume needs, as JSON-able data."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        ...


def judge_for(task: Task, window: int | None = None) -> Judge | None:
    """The judge of a task's metrics; None where each step is judged by itself.

    Args:
        task: Whose metrics are asked for.
        window: Verdicts to remember, the newest; None for all.
    """
    if any(name in _SEQUENCE for name in task.metrics):
        parted = getattr(task, "parted", False)
        return SequenceJudge(task.metrics, task.symbols, window, parted)  # pyright: ignore
    if getattr(task, "judged", False):
        return VerdictJudge(task.metrics, window)
    return None


class VerdictJudge:
    """Scores against targets, one for each verdict.

    Args:
        metrics: Which of accuracy, auc_roc and auc_pr to tell.
        window: Verdicts to remember; None for all.
    """

    def __init__(self, metrics: Sequence[str], window: int | None = None) -> None:
        self._names = tuple(metrics)
        self._seen: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=window)
        self._sums: np.ndarray | None = None
        self._counts = np.zeros(0)

    @property
    def n(self) -> int:
        """Verdicts that are remembered."""
        return len(self._seen)

    def add(self, logits: np.ndarray, chunk: Chunk) -> None:
        """Go on by a chunk with its logits, float (B, K, C)."""
        assert chunk.verdict is not None
        if self._sums is None:
            self._sums = np.zeros((logits.shape[0], logits.shape[2]))
            self._counts = np.zeros(logits.shape[0])
        stops = chunk.verdict | ~chunk.keep
        for stream in range(logits.shape[0]):
            begin = 0
            for step in [*np.flatnonzero(stops[stream]), logits.shape[1]]:
                self._gather(stream, logits, chunk, slice(begin, step))
                begin = step
                if step == logits.shape[1]:
                    break
                if not chunk.keep[stream, step]:
                    self._forget(stream)
                if chunk.verdict[stream, step]:
                    self._gather(stream, logits, chunk, slice(step, step + 1))
                    self._judge(stream, chunk.target[stream, step])
                    begin = step + 1

    def metrics(self) -> dict[str, float]:
        """The metrics that can be told of the remembered verdicts."""
        if not self._seen:
            return {}
        scores, targets = self._arrays()
        told = {name: _area(name, scores, targets) for name in self._names if name in _AREAS}
        if "accuracy" in self._names:
            told["accuracy"] = _accuracy(scores, targets)
        return {name: value for name, value in told.items() if value is not None}

    def intervals(self, seed: int = 0) -> dict[str, tuple[float, float]]:
        """95 % confidence intervals of the areas, by bootstrap over the verdicts."""
        if not self._seen:
            return {}
        scores, targets = self._arrays()
        rng = np.random.default_rng(seed)
        draws = [rng.integers(self.n, size=self.n) for _ in range(DRAWS)]
        found: dict[str, tuple[float, float]] = {}
        for name in (name for name in self._names if name in _AREAS):
            values = [_area(name, scores[draw], targets[draw]) for draw in draws]
            known = [value for value in values if value is not None]
            if known:
                low, high = np.quantile(known, [0.025, 0.975])
                found[name] = (float(low), float(high))
        return found

    def state(self) -> dict[str, Any]:
        """Verdicts and running sums, as JSON-able data."""
        seen = [[score.tolist(), target.tolist()] for score, target in self._seen]
        sums = None if self._sums is None else self._sums.tolist()
        return {"seen": seen, "sums": sums, "counts": self._counts.tolist()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._seen.clear()
        self._seen.extend((np.array(score), np.array(target)) for score, target in state["seen"])
        self._sums = None if state["sums"] is None else np.array(state["sums"])
        self._counts = np.array(state["counts"])

    def _gather(self, stream: int, logits: np.ndarray, chunk: Chunk, span: slice) -> None:
        assert self._sums is not None
        chosen = chunk.mask[stream, span]
        self._sums[stream] += logits[stream, span][chosen].sum(0)
        self._counts[stream] += chosen.sum()

    def _forget(self, stream: int) -> None:
        assert self._sums is not None
        self._sums[stream], self._counts[stream] = 0.0, 0.0

    def _judge(self, stream: int, target: np.ndarray) -> None:
        assert self._sums is not None
        if self._counts[stream]:
            mean = self._sums[stream] / self._counts[stream]
            self._seen.append((mean, np.asarray(target)))
        self._forget(stream)

    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return (np.stack([s for s, _ in self._seen]), np.stack([t for _, t in self._seen]))


def _accuracy(scores: np.ndarray, targets: np.ndarray) -> float:
    if targets.ndim == 1:
        return float((scores.argmax(1) == targets).mean())
    return float(((scores > 0) == (targets > 0.5))[targets >= 0].mean())


def _area(name: str, scores: np.ndarray, targets: np.ndarray) -> float | None:
    """The area under a curve, its mean over labels; None where no label has both answers."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    area = roc_auc_score if name == "auc_roc" else average_precision_score
    if targets.ndim == 1:
        classes = scores.shape[1]
        labels = range(classes) if classes > 2 else (1,)
        given = targets[:, None] == np.array(labels)
        margin = np.stack([_margin(scores, label) for label in labels], axis=1)
    else:
        given, margin = targets, scores
    areas = []
    for answers, margins in zip(given.T, margin.T, strict=True):
        asked = answers >= 0
        if len(set(answers[asked].tolist())) == 2:
            areas.append(area(answers[asked], margins[asked]))
    return float(np.mean(areas)) if areas else None


def _margin(scores: np.ndarray, label: int) -> np.ndarray:
    """Log odds of a class against all others (n,)."""
    return scores[:, label] - np.logaddexp.reduce(np.delete(scores, label, axis=1), axis=1)


class SequenceJudge:
    """What was heard against what was said, one pair for each utterance.

    Args:
        metrics: Which of word_error_rate and character_error_rate to tell.
        symbols: Text of every class; that of class 0, the blank, is not used.
        window: Utterances to remember; None for all.
        parted: Whether blanks stand between all symbols.
    """

    def __init__(
        self,
        metrics: Sequence[str],
        symbols: Sequence[str],
        window: int | None = None,
        parted: bool = False,
    ) -> None:
        self._parted = parted
        self._votes: dict[int, np.ndarray] = {}
        self._names = tuple(name for name in metrics if name in _SEQUENCE)
        self._symbols = tuple(symbols)
        self._seen: deque[tuple[str, str]] = deque(maxlen=window)
        self._heard: list[list[int]] = []
        self._said: list[list[int]] = []

    @property
    def n(self) -> int:
        """Utterances that are remembered."""
        return len(self._seen)

    def add(self, logits: np.ndarray, chunk: Chunk) -> None:
        """Go on by a chunk with its logits, float (B, K, C)."""
        assert chunk.verdict is not None
        if not self._heard:
            self._heard = [[] for _ in range(logits.shape[0])]
            self._said = [[] for _ in range(logits.shape[0])]
        p = np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))
        likely = p.argmax(-1)
        for stream, step in np.ndindex(*likely.shape):
            if not chunk.keep[stream, step]:
                self._forget(stream)
            if chunk.mask[stream, step]:
                self._hear(stream, int(likely[stream, step]), p[stream, step])
                self._said[stream].append(int(chunk.target[stream, step]))
            if chunk.verdict[stream, step]:
                self._close(stream)
                self._seen.append((self._text(self._said[stream]), self._text(self._heard[stream])))
                self._forget(stream)

    def metrics(self) -> dict[str, float]:
        """Errors over all remembered utterances together."""
        import jiwer

        pairs = [(said, heard) for said, heard in self._seen if said]
        if not pairs:
            return {}
        said, heard = ([pair[i] for pair in pairs] for i in (0, 1))
        measures = {"word_error_rate": jiwer.wer, "character_error_rate": jiwer.cer}
        return {name: float(measures[name](said, heard)) for name in self._names}

    def state(self) -> dict[str, Any]:
        """Utterances and what is being heard, as JSON-able data."""
        votes = {str(stream): votes.tolist() for stream, votes in self._votes.items()}
        return {"seen": [*self._seen], "heard": self._heard, "said": self._said, "votes": votes}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._seen.clear()
        self._seen.extend((said, heard) for said, heard in state["seen"])
        self._heard = [list(row) for row in state["heard"]]
        self._said = [list(row) for row in state["said"]]
        self._votes = {int(stream): np.array(votes) for stream, votes in state["votes"].items()}

    def _hear(self, stream: int, likely: int, p: np.ndarray) -> None:
        """Take in one step: its most likely class, or its votes for the symbol under way."""
        if not self._parted:
            self._heard[stream].append(likely)
        elif p[BLANK] < 0.5:
            self._votes[stream] = self._votes.get(stream, np.zeros(len(p))) + p
        else:
            self._close(stream)

    def _close(self, stream: int) -> None:
        """End the symbol under way, if it had enough votes to be one."""
        votes = self._votes.pop(stream, np.zeros(1))[1:]
        if votes.sum() >= LEAST_VOTES:
            self._heard[stream] += [1 + int(votes.argmax()), BLANK]

    def _forget(self, stream: int) -> None:
        self._heard[stream], self._said[stream] = [], []
        self._votes.pop(stream, None)

    def _text(self, classes: list[int]) -> str:
        merged = (label for label, _ in groupby(classes))
        return " ".join("".join(self._symbols[label] for label in merged if label).split())
