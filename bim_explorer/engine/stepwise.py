"""Many single steps of one stream in one call, each with its own update (K = 1, SGD).

    by_events=True    a step's cost follows its spikes      (`kernels.numba_event`)
    by_events=False   every column at every step            (`kernels.numba_dense`)

Both learn the same from the same start. To time one against the other, give both a network of
their own (`network.twin` shares weights, which are copied here) and the same chunk, call `run`
once to compile, then in turns; memory is warm after some 100 steps:

    event, dense = (Stepwise(network, 1e-3, by_events) for by_events in (True, False))
    chunk = Chunk(spikes, target, mask, keep)          # one stream, as many steps as you like
    event.run(chunk), dense.run(chunk)                 # losses, one a step
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.event import EventNetwork
from bim_explorer.engine.network import Network
from bim_explorer.kernels import numba_dense


class Stepwise:
    """A one-block network that learns at every step, in numpy arrays of its own.

    Args:
        network: Gives weights, state and influences; stays as it is.
        learning_rate: η of SGD.
        by_events: Which of the two kernels runs.
        options: Passed on to `EventNetwork`: `w_max`, `grouping`.

    Raises:
        ValueError: The network has several blocks, or several streams.
    """

    def __init__(
        self, network: Network, learning_rate: float, by_events: bool, **options: Any
    ) -> None:
        blocks, batch = len(network.blocks), network.blocks[0].batch
        if (blocks, batch) != (1, 1):
            raise ValueError(
                f"Stepwise takes 1 block and 1 stream, got {blocks} and {batch}: "
                "build the network with n_blocks=1, batch=1"
            )
        self.columns = EventNetwork(network, **options)
        self.learning_rate = learning_rate
        self.by_events = by_events

    def run(self, chunk: Chunk) -> np.ndarray:
        """Learn from every step of the chunk; the loss of each, 0 where there is none."""
        kernel = None if self.by_events else numba_dense.run
        return self.columns.run(0, chunk, chunk.spikes[0], self.learning_rate, kernel)
