"""The metrics that tasks are judged by, from sums that streams can add to for ever.

accuracy = correct / n        bits_per_character = nats / (n ln 2)        perplexity = exp(nats / n)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from bim_explorer.functional.readout import cross_entropy


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over supervised steps.

    Attributes:
        n: Supervised steps.
        correct: Those whose most likely class was the target.
        nats: Sum of their losses, surcharges with them.
    """

    n: int = 0
    correct: int = 0
    nats: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.n + other.n, self.correct + other.correct, self.nats + other.nats)


@dataclass(frozen=True, slots=True)
class Metric:
    """How a tally reads as one number, and whether more of it is better.

    Attributes:
        of: The metric of a tally; None where only a judge can tell it (see `judges`).
        higher_is_better: What it says.
    """

    of: Callable[[Tally], float] | None
    higher_is_better: bool


METRICS = {
    "accuracy": Metric(lambda tally: tally.correct / tally.n, True),
    "bits_per_character": Metric(lambda tally: tally.nats / tally.n / math.log(2.0), False),
    "perplexity": Metric(lambda tally: math.exp(tally.nats / tally.n), False),
    "auc_roc": Metric(None, True),
    "auc_pr": Metric(None, True),
    "word_error_rate": Metric(None, False),
    "character_error_rate": Metric(None, False),
}


def tally(
    logits: Float[Tensor, "batch time class"],
    target: Int[Tensor, "batch time"] | Float[Tensor, "batch time class"],
    mask: Bool[Tensor, "batch time"],
    surcharge: np.ndarray | None = None,
) -> Tally:
    """The sums of one chunk; a surcharge is what its targets cost beside their classes [nats]."""
    n = int(mask.sum())
    if not n:
        return Tally()
    loss, _ = cross_entropy(logits, target, mask)
    labels = target.ndim == logits.ndim
    if labels:
        right = (((logits > 0) == (target > 0.5)) | (target < 0)).all(-1)
    else:
        right = logits.argmax(-1) == target
    correct = right & mask
    nats = float(loss.sum(dtype=torch.float64))
    nats += 0.0 if surcharge is None else float(surcharge[mask.cpu().numpy()].sum(dtype=np.float64))
    return Tally(n, int(correct.sum()), nats)


def measure(sums: Tally, names: tuple[str, ...]) -> dict[str, float]:
    """The named metrics that a tally can tell; none of an empty one."""
    told = {name: METRICS[name].of for name in names} if sums.n else {}
    return {name: of(sums) for name, of in told.items() if of is not None}


def is_better(name: str, new: float, old: float | None) -> bool:
    """Whether `new` beats the best score so far."""
    if old is None:
        return True
    return new > old if METRICS[name].higher_is_better else new < old
