"""What is looked at while a network learns: spikes of stream 0, and what updates did to synapses.

The probe only copies; learning is the same with and without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bim_explorer.engine.learner import Learner
from bim_explorer.engine.settings import Rule
from bim_explorer.functional.chunk import UpdateResult

#: Steps of stream 0 that are remembered: for the raster, and for pairs across chunks.
HISTORY = 512
#: Synapses drawn for one look; those without a spike pair at hand drop out.
DRAWN = 256
#: Pairs farther apart than this many time constants are left out.
REACH = 5.0


class SynapseLook(NamedTuple):
    """What one update did to sampled synapses of block 0 (see `store.snapshot.Pairs`)."""

    delta_t: np.ndarray
    stdp: np.ndarray
    gradient: np.ndarray
    total: np.ndarray
    pair_scale: float


class SpikeHistory:
    """The last steps of stream 0, all bands of rows: input, then the blocks.

    Attributes:
        spikes: 0 or 1, uint8 (rows, HISTORY), oldest column first.
        end: Step of stream 0 behind the last column.
        fresh: Columns that no `take` has returned yet.
        start: Column at which the newest stream began.
    """

    def __init__(self, rows: Sequence[int]) -> None:
        self.spikes = np.zeros((sum(rows), HISTORY), np.uint8)
        self.end = 0
        self.fresh = 0
        self.start = HISTORY

    def add(self, result: UpdateResult) -> None:
        """Append a chunk's columns."""
        bands = [result.chunk.spikes[0], *(trace.z[0] for trace in result.traces)]
        columns = torch.cat(bands, dim=1).T.to(torch.uint8).cpu().numpy()[:, -HISTORY:]
        n = columns.shape[1]
        self.spikes = np.concatenate([self.spikes[:, n:], columns], axis=1)
        steps = result.chunk.keep.shape[1]
        begins = np.flatnonzero(result.chunk.keep[0].cpu().numpy() == 0)
        self.start = HISTORY - steps + int(begins[-1]) if len(begins) else self.start - steps
        self.start = max(self.start, 0)
        self.end += steps
        self.fresh = min(self.fresh + n, HISTORY)

    def take(self) -> np.ndarray:
        """The columns that are new since the last call."""
        columns = self.spikes[:, HISTORY - self.fresh :]
        self.fresh = 0
        return columns.copy()


def look_at_synapses(
    learner: Learner,
    result: UpdateResult,
    history: SpikeHistory,
    rng: np.random.Generator,
) -> SynapseLook | None:
    """Sampled synapses of block 0: parts and total of this update's Δw against Δt in steps.

    Each part is its share of the direction times the step that the optimizer takes for that
    synapse now; with Adam the total also holds the momentum of earlier updates.
    """
    synapses, rule = learner.synapses[0], learner.rule
    assert result.weights_before is not None
    live = np.flatnonzero(synapses.mask.flatten().cpu().numpy())
    if not len(live):
        return None
    chosen = rng.choice(live, size=min(DRAWN, len(live)), replace=False)
    chosen, delta_t = _paired(chosen, synapses.weights.shape[1], result, history, rule)

    def sampled(matrix: Tensor | float) -> np.ndarray:
        if not isinstance(matrix, Tensor):
            return np.full(len(chosen), matrix)
        at = torch.as_tensor(chosen, device=matrix.device)
        return matrix.flatten()[at].double().cpu().numpy()

    step = sampled(learner.optimizer.step_size("block0.W", rule.rate_at(learner.update_count)))
    share = rule.balance if rule.as_printed else -rule.balance
    slope = synapses.gradient if result.loss is not None else None
    windowed = rule.local.windowed and len(chosen)
    return SynapseLook(
        delta_t,
        stdp=step * (1.0 - rule.balance) * synapses.scale * sampled(synapses.omega),
        gradient=step * share * sampled(0.0 if slope is None else slope),
        total=sampled(synapses.weights - result.weights_before[0]),
        pair_scale=float(np.median(step)) * synapses.scale / len(result.chunk.keep)
        if windowed
        else 0.0,
    )


def _paired(
    chosen: np.ndarray, inputs: int, result: UpdateResult, history: SpikeHistory, rule: Rule
) -> tuple[np.ndarray, np.ndarray]:
    """The synapses that completed a pair within reach, and its Δt in steps."""
    post, pre = np.divmod(chosen, inputs)
    steps = result.chunk.keep.shape[1]
    reach = -REACH / math.log(max(rule.window.decay_plus, rule.window.decay_minus))
    first = max(history.start, HISTORY - steps - math.ceil(reach))
    spikes = history.spikes[:, first:]
    delta_t = nearest_pairs(spikes[pre], spikes[inputs + post], steps)
    near = np.abs(delta_t) <= reach
    return chosen[near], delta_t[near]


def nearest_pairs(pre: np.ndarray, post: np.ndarray, steps: int) -> np.ndarray:
    """t_post - t_pre of the nearest pair that was completed in the last `steps` columns.

    Args:
        pre: Presynaptic spikes, 0 or 1 (n, columns).
        post: Postsynaptic spikes of the same synapses (n, columns).
        steps: Columns of the newest chunk.

    Returns:
        Steps, float (n,); infinite where no pair was completed.
    """
    columns = pre.shape[1]
    if not columns:
        return np.full(len(pre), np.inf)
    now = np.arange(columns, dtype=np.float32)
    last_pre = np.maximum.accumulate(np.where(pre, now, np.float32(-np.inf)), axis=1)
    last_post = np.maximum.accumulate(np.where(post, now, np.float32(-np.inf)), axis=1)
    before = np.concatenate(
        [np.full((len(post), 1), -np.inf, np.float32), last_post[:, :-1]], axis=1
    )
    causal = np.where(post, now - last_pre, np.inf)[:, -steps:]
    acausal = np.where(pre, now - before, np.inf)[:, -steps:]
    forward, backward = causal.min(1), acausal.min(1)
    return np.where(forward <= backward, forward, -backward)
