"""The network: a stack of blocks and a readout that sees every one of them.

The readout's logits are the sum of what the blocks vote for; with local credit each block has
a loss on its own vote, and the vote of all is their mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.core.seeding import seed_of
from bim_explorer.engine.block import Block
from bim_explorer.engine.initial import block_parameters, readout_bias, readout_weights
from bim_explorer.engine.settings import Dynamics
from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.readout import ReadoutParameters, Seen, block_logits
from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.selective_ssm import BlockParameters

#: Firing rate of a block that its successor's initial weights reckon with.
EXPECTED_RATE = 0.1


class Network:
    """Blocks, readout and the state of all streams.

    Args:
        blocks: The stack, lowest first.
        readout: Weights of the readout.
        dynamics: Constants of the neurons; exchanged as a whole when one changes.
    """

    def __init__(self, blocks: list[Block], readout: ReadoutParameters, dynamics: Dynamics) -> None:
        self.blocks = blocks
        self.readout = readout
        self.dynamics = dynamics

    def forward(
        self, spikes: Float[Tensor, "batch time input"], keep: Float[Tensor, "batch time"]
    ) -> list[BlockTrace]:
        """Advance all streams by a chunk and return every block's trace."""
        traces = []
        for block in self.blocks:
            traces.append(block.forward(spikes, keep, self.dynamics))
            spikes = traces[-1].z
        return traces

    def seen(self, traces: list[BlockTrace]) -> list[Seen]:
        """What the readout sees of each block."""
        reads_y, reads_z = self.dynamics.reads_y, self.dynamics.reads_z
        return [Seen(t.y if reads_y else None, t.z if reads_z else None) for t in traces]

    def votes(self, traces: list[BlockTrace]) -> list[Float[Tensor, "batch time class"]]:
        """The logits of each block's own readout."""
        seen = self.seen(traces)
        return [block_logits(*each, self.readout, index) for index, each in enumerate(seen)]

    def answer(
        self, spikes: Float[Tensor, "batch time input"], keep: Float[Tensor, "batch time"]
    ) -> list[Float[Tensor, "batch time class"]]:
        """Advance all streams by a chunk and return the logits of each block's own readout."""
        return self.votes(self.forward(spikes, keep))

    @property
    def like(self) -> Tensor:
        """A tensor of the network's dtype and device."""
        return self.readout.b

    def reset(self) -> None:
        """Forget the state of all streams and all influences."""
        for block in self.blocks:
            block.reset()

    def parameters(self) -> dict[str, Tensor]:
        """All parameter tensors by name: `block0.W` …, `readout.W_y` …."""
        named = {
            f"block{index}.{name}": tensor
            for index, block in enumerate(self.blocks)
            for name, tensor in block.theta._asdict().items()
        }
        return named | {f"readout.{k}": v for k, v in self.readout._asdict().items()}

    def with_parameters(self, named: Mapping[str, Tensor]) -> Network:
        """A network of other parameters, named as `parameters` does, with streams of its own."""
        blocks = [
            Block(
                BlockParameters(*(named[f"block{index}.{field}"] for field in block.theta._fields)),
                block.batch,
                block.kernels,
            )
            for index, block in enumerate(self.blocks)
        ]
        readout = ReadoutParameters(*(named[f"readout.{k}"] for k in self.readout._fields))
        return Network(blocks, readout, self.dynamics)

    def twin(self, batch: int) -> Network:
        """The same weights with streams of their own: for held-out data."""
        blocks = [Block(block.theta, batch, block.kernels) for block in self.blocks]
        return Network(blocks, self.readout, self.dynamics)


def build_network(
    values: Mapping[str, Any],
    d_in: int,
    n_out: int,
    input_rate: float,
    kernels: Kernels,
    prior: np.ndarray | None = None,
) -> Network:
    """A fresh network for the flat values and a task's sizes, drawn from the run's seed.

    Args:
        values: All flat parameter values.
        d_in: Input channels M.
        n_out: Classes C.
        input_rate: Expected spikes per input channel and step.
        kernels: The scans over time.
        prior: Log probability of every class, if the task knows it (C,).
    """
    generator = torch.Generator().manual_seed(seed_of(values["seed"], "weights"))
    place = {"device": values["device"], "dtype": getattr(torch, values["dtype"])}
    neurons, delta_range = values["d_model"], (values["delta_min"], values["delta_max"])
    blocks = []
    for index in range(values["n_blocks"]):
        theta = block_parameters(
            neurons if index else d_in,
            neurons,
            values["d_state"],
            EXPECTED_RATE if index else input_rate,
            delta_range,
            generator,
        )
        theta = BlockParameters(*(tensor.to(**place) for tensor in theta))
        blocks.append(Block(theta, values["batch"], kernels))
    shape = (values["n_blocks"], n_out, neurons)
    W_y, W_z = readout_weights(*shape, generator)
    bias = readout_bias(*shape[:2], prior, shared=values["credit"] != "local")
    readout = ReadoutParameters(W_y.to(**place), W_z.to(**place), bias.to(**place))
    return Network(blocks, readout, Dynamics.from_values(values))
