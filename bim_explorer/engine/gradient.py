"""The gradient of one chunk's losses through readout and stack, by the chosen kind of credit.

exact      reverse mode in the chunk, plus what every block's influences carry across its border
truncated  reverse mode in the chunk alone: truncated BPTT
local      a loss on each block's own vote, exact for that loss; nothing flows between blocks

A stack is exact within each block; across blocks credit ends at the chunk's border.
Whatever the chunk's losses were, the influences are at its end afterwards.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from bim_explorer.engine.network import Network
from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.functional.rtrl import Families


def chunk_gradient(
    network: Network,
    traces: list[BlockTrace],
    data: ChunkTensors,
    credit: str,
    selection_learns: bool = True,
) -> tuple[Tensor, float | None, dict[str, Tensor]]:
    """Logits, mean loss of a supervised step, and the gradient of every parameter by name.

    A chunk without a supervised step has loss None and no gradient.

    Args:
        network: What was run.
        traces: What its blocks did.
        data: The chunk.
        credit: exact, truncated or local.
        selection_learns: Whether the parameters beside W need the influences' part as well.
    """
    votes = network.votes(traces)
    total = reduce(torch.add, votes)
    logits = total / len(votes) if credit == "local" else total
    supervised = int(data.mask.sum())
    if not supervised:
        _carry(network, credit, selection_learns)
        return logits, None, {}
    cross_entropy = network.blocks[0].kernels.cross_entropy
    if credit == "local":
        losses, d_votes = zip(
            *(cross_entropy(vote, data.target, data.mask) for vote in votes), strict=True
        )
        loss = torch.stack(losses).mean(0)
    else:
        loss, d_vote = cross_entropy(logits, data.target, data.mask)
        d_votes = (d_vote,) * len(votes)
    mean_loss = float(loss.sum()) / supervised
    gradient = _readout_gradient(network, traces, d_votes)
    gradient |= _block_gradients(network, traces, d_votes, credit)
    past = _carry(network, credit, selection_learns)
    if past:
        torch._foreach_add_([gradient[name] for name in past], list(past.values()))
    return logits, mean_loss, gradient


def _readout_gradient(
    network: Network, traces: list[BlockTrace], d_votes: tuple[Tensor, ...]
) -> dict[str, Tensor]:
    flat = [d_vote.flatten(0, 1) for d_vote in d_votes]
    gradient = {"readout.b": torch.stack([d.sum(0) for d in flat])}
    if network.dynamics.reads_y:
        y = [trace.y.flatten(0, 1) for trace in traces]
        gradient["readout.W_y"] = torch.stack([d.T @ s for d, s in zip(flat, y, strict=True)])
    if network.dynamics.reads_z:
        z = [trace.z.flatten(0, 1) for trace in traces]
        gradient["readout.W_z"] = torch.stack([d.T @ s for d, s in zip(flat, z, strict=True)])
    return gradient


def _block_gradients(
    network: Network, traces: list[BlockTrace], d_votes: tuple[Tensor, ...], credit: str
) -> dict[str, Tensor]:
    gradient: dict[str, Tensor] = {}
    from_above: Tensor | None = None
    dynamics, readout = network.dynamics, network.readout
    for index in reversed(range(len(traces))):
        y = traces[index].y
        d_y = d_votes[index] @ readout.W_y[index] if dynamics.reads_y else torch.zeros_like(y)
        d_z = d_votes[index] @ readout.W_z[index] if dynamics.reads_z else None
        if from_above is not None:
            d_z = from_above if d_z is None else d_z + from_above
        theta, from_above = network.blocks[index].adjoint(
            d_y, d_z, dynamics, below=index > 0 and credit != "local"
        )
        gradient |= {f"block{index}.{name}": g for name, g in theta._asdict().items()}
    return gradient


def _carry(network: Network, credit: str, selection_learns: bool) -> dict[str, Tensor]:
    """Move the influences on; what they add to the gradient, by name."""
    added: dict[str, Tensor] = {}
    if credit == "truncated":
        return added
    top = len(network.blocks) - 1
    for index, block in enumerate(network.blocks):
        spikes_read = network.dynamics.reads_z or (index < top and credit != "local")
        past = block.carry(network.dynamics, Families(selection_learns, spikes_read))
        if past is not None:
            added |= {f"block{index}.{name}": g for name, g in past._asdict().items()}
    return added
