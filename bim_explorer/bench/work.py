"""The work that is timed: random streams, and learners of given sizes to feed them to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import torch

from bim_explorer.bench.timing import Options
from bim_explorer.config import Config
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.learner import Learner
from bim_explorer.engine.network import Network, build_network
from bim_explorer.functional.lif import Membrane
from bim_explorer.kernels import kernels_for

#: Small enough that the network, and with it the work, stays what it was.
LEARNING_RATE = 1e-5
#: Different chunks that are fed again and again.
CHUNKS = 8


class Sizes(NamedTuple):
    """M, N, S, blocks, B, K, C and the input's firing rate."""

    inputs: int = 128
    neurons: int = 128
    states: int = 8
    blocks: int = 2
    batch: int = 16
    chunk: int = 32
    classes: int = 32
    rate: float = 0.1

    @property
    def steps(self) -> int:
        """Steps of one update, summed over the streams."""
        return self.batch * self.chunk

    @property
    def rows(self) -> int:
        """Rows of the stacked influences of one block and stream, N (5S + 2)."""
        return self.neurons * (5 * self.states + 2)


#: Sizes at which a benchmark only shows that it runs.
TINY = Sizes(inputs=6, neurons=5, states=2, blocks=2, batch=2, chunk=3, classes=3, rate=0.3)


def values_of(sizes: Sizes, options: Options, **changes: Any) -> dict[str, Any]:
    """Flat parameter values for the sizes."""
    named = {
        "n_blocks": sizes.blocks,
        "d_model": sizes.neurons,
        "d_state": sizes.states,
        "batch": sizes.batch,
        "chunk": sizes.chunk,
        "learning_rate": LEARNING_RATE,
        "backend": options.backend,
        "device": options.device,
        "threads": options.threads,
    }
    return Config(**{**named, **changes}).values()


def network_of(sizes: Sizes, options: Options, **changes: Any) -> Network:
    """A fresh network of the sizes."""
    values = values_of(sizes, options, **changes)
    kernels = kernels_for(values["backend"], values["device"])
    return build_network(values, sizes.inputs, sizes.classes, sizes.rate, kernels)


def learner_of(sizes: Sizes, options: Options, **changes: Any) -> Learner:
    """A fresh learner of the sizes."""
    torch.set_num_threads(options.threads)
    return Learner(network_of(sizes, options, **changes), values_of(sizes, options, **changes))


def lif_of(network: Network) -> Membrane:
    """The network's soma, which those that write it out once more know as a LIF neuron."""
    soma = network.dynamics.membrane
    assert isinstance(soma, Membrane), f"only neuron=lif is timed, got {type(soma).__name__}"
    return soma


def random_chunk(sizes: Sizes, rng: np.random.Generator) -> Chunk:
    """Random spikes and targets, a loss at every step, no restarts."""
    shape = (sizes.batch, sizes.chunk)
    return Chunk(
        spikes=(rng.random((*shape, sizes.inputs)) < sizes.rate).astype(np.uint8),
        target=rng.integers(sizes.classes, size=shape),
        mask=np.ones(shape, dtype=bool),
        keep=np.ones(shape, dtype=bool),
    )


def stream(sizes: Sizes, seed: int = 0, chunks: int = CHUNKS) -> Iterator[Chunk]:
    """Chunks without end, the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    return cycle([random_chunk(sizes, rng) for _ in range(chunks)])


def updates(learner: Any, sizes: Sizes) -> Callable[[], object]:
    """One update of a learner with the next chunk, as a call without arguments."""
    chunks = stream(sizes)
    return lambda: learner.update(next(chunks))
