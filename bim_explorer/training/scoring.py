"""Scoring a network on streams it does not learn from: state of its own, weights as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from bim_explorer.baselines.learner import BaselineNetwork
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.network import Network
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.functional.readout import answer
from bim_explorer.training.judges import Judge
from bim_explorer.training.metrics import Tally, tally

#: Steps of a chunk where nothing is learned: long enough to be fast, short enough to be small.
SCORING_STEPS = 64


@torch.no_grad()
def score(
    network: Network | BaselineNetwork,
    chunks: Iterable[Chunk],
    judge: Judge | None = None,
    progress: Callable[[int], None] | None = None,
    credit: str = "exact",
) -> Tally:
    """Run the chunks through a twin of the network, streams beginning at rest.

    Args:
        network: Its weights are read; its streams and influences stay untouched.
        chunks: Held-out data, in order.
        judge: Hears all logits, if given.
        progress: Told the supervised steps read so far.
        credit: How it learns: blocks with a local loss each answer by the mean of their votes.
    """
    sums, twin = Tally(), None
    for chunk in chunks:
        twin = twin or network.twin(chunk.keep.shape[0])
        data = ChunkTensors.of(chunk, network.like)
        logits = answer(twin.answer(data.spikes, data.keep), apart=credit == "local")
        sums = sums + tally(logits, data.target, data.mask, chunk.surcharge)
        if judge is not None:
            judge.add(logits.cpu().numpy(), chunk)
        if progress:
            progress(sums.n)
    return sums
