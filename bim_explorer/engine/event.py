"""The network in the memory of the event-driven kernels: same model, same rule, K = 1, SGD.

Each block learns with its own readout at every step; a column of synapses is touched when its
input spikes (`functional.event`, `kernels.numba_event`). The network's tensors lag behind until
`write_back`, which changes nothing in here: who looks does not disturb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.block import Block
from bim_explorer.engine.network import Network
from bim_explorer.engine.settings import Dynamics
from bim_explorer.functional.chunk import StepTrace
from bim_explorer.functional.lif import Membrane
from bim_explorer.functional.rtrl import Families, Influence, rows
from bim_explorer.kernels import columns as layout
from bim_explorer.kernels import numba_event
from bim_explorer.kernels.columns import Columns, Readout


class StepResult(NamedTuple):
    """Logits (1, 1, C), mean loss of the supervised step or None, and what every block did."""

    logits: Tensor
    loss: float | None
    traces: list[StepTrace]


class EventNetwork:
    """Blocks and readout of a network as columns.

    Args:
        network: Where weights, state and influences are taken from, and written back to.
        w_max: Bound on |w|, kept where a column is visited: a synapse that outgrows it is bounded
            when its input spikes next, or after 64 steps at the latest.
        grouping: Steps of a block of maps, and blocks that are remembered.
    """

    def __init__(
        self,
        network: Network,
        w_max: float = np.inf,
        grouping: tuple[int, int] = (numba_event.STEPS, numba_event.BLOCKS),
    ) -> None:
        self.network = network
        self._blocks = [columns_of(block, network.dynamics, w_max) for block in network.blocks]
        self._readouts = [_readout_of(network, index) for index in range(len(network.blocks))]
        self._pasts = [numba_event.Past.empty(columns, *grouping) for columns in self._blocks]

    def step(self, chunk: Chunk, learning_rate: float) -> StepResult:
        """Run one step of one stream and learn from it."""
        assert chunk.spikes.shape[:2] == (1, 1), "config.event_driven asks for one step, one stream"
        spikes, losses, traces = chunk.spikes[0], [], []
        for index, block in enumerate(self._blocks):
            losses.append(float(self.run(index, chunk, spikes, learning_rate)[0]))
            y, v, z = (block.unit[row].copy() for row in (layout.Y, layout.V, layout.Z))
            traces.append(StepTrace(*(torch.from_numpy(x)[None, None] for x in (y, v, z))))
            spikes = z[None].astype(np.uint8)
        logits = np.mean([readout.logits for readout in self._readouts], axis=0)
        supervised = bool(chunk.mask[0, 0])
        mean = sum(losses) / len(losses) if supervised else None
        return StepResult(torch.from_numpy(logits)[None, None], mean, traces)

    def run(
        self,
        index: int,
        chunk: Chunk,
        spikes: np.ndarray,
        learning_rate: float,
        dense: Callable[..., None] | None = None,
    ) -> np.ndarray:
        """Let one block learn from every step of a chunk; the loss of each step.

        Args:
            index: Which block.
            chunk: One stream: targets, mask and restarts.
            spikes: What the block reads (time, input).
            learning_rate: η.
            dense: A kernel that carries every column at every step, in place of the events'.
        """
        block, readout = self._blocks[index], self._readouts[index]
        real, labelled = block.cols.dtype, chunk.target.ndim == 3
        block.const[layout.ETA] = learning_rate
        losses = np.zeros(len(spikes), real)
        labels = chunk.target[0].astype(real) if labelled else np.zeros((0, 0), real)
        target = np.zeros(len(spikes), np.int64) if labelled else chunk.target[0]
        steps = (spikes, target, labels, chunk.mask[0], chunk.keep[0].astype(real), losses)
        if dense is None:
            numba_event.run(block, readout, self._pasts[index], *steps)
        else:
            dense(block, readout, *steps)
        return losses

    def write_back(self) -> None:
        """Bring the network's tensors up to now; nothing in here changes."""
        for index, (columns, past) in enumerate(zip(self._blocks, self._pasts, strict=True)):
            now = Columns(*(array.copy() for array in columns))
            numba_event.settle(now, past._replace(stamp=past.stamp.copy(), clock=past.clock.copy()))
            _write_block(now, self.network.blocks[index])
            ours, theirs = self._readouts[index], self.network.readout
            for name in ("W_y", "W_z", "b"):
                getattr(theirs, name)[index].copy_(torch.from_numpy(getattr(ours, name)))

    def arrays(self) -> dict[str, np.ndarray]:
        """All of its state by name, not copied: an exact resume needs it as it is."""
        parts = {"columns": self._blocks, "readout": self._readouts, "past": self._pasts}
        return {
            f"{index}/{part}/{name}": array
            for part, owners in parts.items()
            for index, owner in enumerate(owners)
            for name, array in owner._asdict().items()
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for name, array in self.arrays().items():
            array[...] = arrays[name]


def columns_of(block: Block, dynamics: Dynamics, w_max: float = np.inf) -> Columns:
    """A block with one stream as columns, all of them valid now."""
    theta = block.theta
    neurons, states = theta.A_log.shape
    inputs = theta.W.shape[1]
    columns = Columns.zeros(inputs, neurons, states, theta.W.numpy().dtype)
    for name, view in _parameter_views(columns).items():
        view[...] = getattr(theta, name).numpy()
    channel, unit, const = columns.channel, columns.unit, columns.const
    channel[layout.NEG * states : (layout.NEG + 1) * states] = -np.exp(theta.A_log.numpy().T)
    channel[layout.H * states : (layout.H + 1) * states] = block.state.h[0].numpy()
    unit[layout.V] = block.state.v[0].numpy()
    columns.psp[:inputs] = block.state.psp[0][0].numpy()
    membrane = dynamics.membrane
    assert isinstance(membrane, Membrane), "config.event_driven asks for neuron=lif"
    const[layout.KAPPA], const[layout.W_MAX] = dynamics.psp_decay, w_max
    const[[layout.RHO, layout.GAIN, layout.V_TH]] = membrane.decay, membrane.gain, membrane.v_th
    if block.influence is not None:
        influence = block.influence.kept_as(block.theta, block.families, Families(), None)
        for view, tensor in _influence_views(columns, influence):
            view[...] = tensor.numpy()
    layout.carry_products(columns)
    return columns


def _readout_of(network: Network, index: int) -> Readout:
    theirs = network.readout
    W_y, W_z, b = (w[index].numpy().copy() for w in (theirs.W_y, theirs.W_z, theirs.b))
    reads = np.array([network.dynamics.reads_y, network.dynamics.reads_z])
    return Readout(W_y, W_z, b, reads, np.zeros_like(b), np.zeros_like(b))


def _write_block(columns: Columns, block: Block) -> None:
    inputs, states = block.theta.W.shape[1], block.theta.A_log.shape[1]
    for name, view in _parameter_views(columns).items():
        getattr(block.theta, name).copy_(torch.from_numpy(view))
    block.state.h[0] = torch.from_numpy(columns.channel[:states])
    block.state.v[0] = torch.from_numpy(columns.unit[layout.V])
    block.state.psp[0][0] = torch.from_numpy(columns.psp[:inputs])
    if block.influence is None or block.families != Families():
        block.influence, block.families = Influence.zeros(1, block.theta, Families()), Families()
    for view, tensor in _influence_views(columns, block.influence):
        tensor.copy_(torch.from_numpy(view))


def _parameter_views(columns: Columns) -> dict[str, np.ndarray]:
    """Views of a block's parameters, in their own shapes."""
    states = columns.select.shape[1]
    cols, small, weights = columns.cols[:-2], columns.small[:-2], 5 * states + 2
    a_log = columns.channel[layout.A_LOG * states : (layout.A_LOG + 1) * states]
    return {
        "W": cols[:, weights].T,
        "W_delta": cols[:, weights + 1].T,
        "b_delta": columns.cols[-2, weights + 1],
        "W_B": small[:, :states].T,
        "b_B": columns.small[-2, :states],
        "W_C": small[:, states:].T,
        "b_C": columns.small[-2, states:],
        "A_log": a_log.T,
        "D": columns.unit[layout.D],
    }


def _influence_views(columns: Columns, influence: Influence) -> list[tuple[np.ndarray, Tensor]]:
    """Pairs of views, columns and stacked influence, of one shape each."""
    states = columns.select.shape[1]
    # (key, row, neuron) → (row, key, neuron)
    ours = columns.cols[:-1].transpose(1, 0, 2)
    theirs = rows(influence.keyed, states, Families())
    starts = {"h_W": 0, "h_delta": states, "h_B": 2 * states, "v_B": 3 * states, "v_C": 4 * states}
    starts |= {"v_W": 5 * states, "v_delta": 5 * states + 1}
    pairs = []
    for name, start in starts.items():
        family = getattr(theirs, name)[0]
        pairs.append((ours[start : start + len(family)], family))
    own = columns.channel[layout.E_A * states :]
    return [
        *pairs,
        (own[:states], influence.A_log_h[0]),
        (own[states:], influence.A_log_v[0]),
        (columns.unit[layout.G_D], influence.D_v[0]),
    ]
