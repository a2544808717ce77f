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
from bim_explorer.functional.readout import Seen, answer
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
    seen, apart = network.seen(traces), credit == "local"
    supervised = int(data.mask.sum())
    if not supervised:
        _carry(network, credit, selection_learns)
        return answer(network.votes(traces), apart), None, {}
    kernels = network.blocks[0].kernels
    judged = kernels.judge(seen, network.readout, data.target, data.mask, apart)
    gradient = {f"readout.{name}": slope for name, slope in judged.gradient.items()}
    gradient |= _block_gradients(network, traces, judged.d_seen, credit)
    past = _carry(network, credit, selection_learns)
    if past:
        mine = [gradient[name] for name in past]
        torch._foreach_add_(mine, list(past.values()))  # pyright: ignore[reportPrivateImportUsage]
    return judged.logits, float(judged.loss.sum()) / supervised, gradient


def _block_gradients(
    network: Network, traces: list[BlockTrace], d_seen: list[Seen], credit: str
) -> dict[str, Tensor]:
    gradient: dict[str, Tensor] = {}
    from_above: Tensor | None = None
    for index in reversed(range(len(traces))):
        d_y, d_z = d_seen[index]
        if d_y is None:
            d_y = torch.zeros_like(traces[index].y)
        if from_above is not None:
            d_z = from_above if d_z is None else d_z + from_above
        theta, from_above = network.blocks[index].adjoint(
            d_y, d_z, network.dynamics, below=index > 0 and credit != "local"
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
