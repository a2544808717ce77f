"""The gradient of one chunk's losses through readout and stack, by the chosen kind of credit.

exact      reverse mode in the chunk, plus what every block's influences carry across its border
truncated  reverse mode in the chunk alone: truncated BPTT
local      a loss on each block's own vote, exact for that loss; nothing flows between blocks

A stack is exact within each block; across blocks credit ends at the chunk's border.
Whatever the chunk's losses were, the influences are at its end afterwards.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bim_explorer.engine.network import Network
from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.functional.readout import answer
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
    apart = credit == "local"
    kept = _kept(network, credit, selection_learns)
    supervised = int(torch.count_nonzero(data.mask))
    if not supervised:
        for block, families in zip(network.blocks, kept, strict=True):
            if families is not None:
                block.carry(network.dynamics, families)
        return answer(network.votes(traces), apart), None, {}
    kernels, seen = network.blocks[0].kernels, network.seen(traces)
    judged = kernels.judge(seen, network.readout, data.target, data.mask, apart)
    gradient = {f"readout.{name}": slope for name, slope in judged.gradient.items()}
    from_above: Tensor | None = None
    for index in reversed(range(len(traces))):
        d_y, d_z = judged.d_seen[index]
        if d_y is None:
            d_y = torch.zeros_like(traces[index].y)
        if from_above is not None:
            d_z = from_above if d_z is None else d_z + from_above
        theta, from_above = network.blocks[index].adjoint(
            d_y, d_z, network.dynamics, index > 0 and not apart, kept[index]
        )
        gradient |= {f"block{index}.{name}": slope for name, slope in theta._asdict().items()}
    return judged.logits, float(judged.loss.sum()) / supervised, gradient


def _kept(network: Network, credit: str, selection_learns: bool) -> list[Families | None]:
    """The influences of every block that are kept: those that lead to a loss."""
    if credit == "truncated":
        return [None] * len(network.blocks)
    read, top = network.dynamics.reads_z, len(network.blocks) - 1
    return [
        Families(selection_learns, read or (index < top and credit != "local"), block.place is None)
        for index, block in enumerate(network.blocks)
    ]
