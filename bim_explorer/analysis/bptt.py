"""BPTT through the whole sequence by autograd, step by step: what every other gradient is held to.

It shares with the engine the equations of one step, and none of its chunk algebra: no scans, no
adjoints, no influences, no triangular products.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bim_explorer.engine.network import Network
from bim_explorer.engine.settings import Dynamics
from bim_explorer.functional.chunk import ChunkTensors
from bim_explorer.functional.readout import ReadoutParameters, block_logits, cross_entropy
from bim_explorer.functional.selective_ssm import (
    BlockParameters,
    discretise,
    output,
    select,
    state_input,
)
from bim_explorer.functional.surrogate import SurrogateSpike


def bptt_gradient(network: Network, data: ChunkTensors) -> dict[str, Tensor]:
    """Gradient of the losses of all steps of `data`, every stream beginning at rest."""
    named = network.parameters()
    leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in named.items()}
    readout = ReadoutParameters(*(leaves[f"readout.{k}"] for k in ReadoutParameters._fields))
    dynamics, spikes = network.dynamics, data.spikes
    logits = torch.zeros(())
    for index in range(len(network.blocks)):
        fields = BlockParameters._fields
        theta = BlockParameters(*(leaves[f"block{index}.{k}"] for k in fields))
        y, spikes = _run_block(theta, spikes, data.keep, dynamics)
        seen_y, seen_z = y if dynamics.reads_y else None, spikes if dynamics.reads_z else None
        logits = logits + block_logits(seen_y, seen_z, readout, index)
    loss, _ = cross_entropy(logits, data.target, data.mask)
    (loss.sum() / data.mask.shape[0]).backward()
    zero = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    return {name: zero[name] if leaf.grad is None else leaf.grad for name, leaf in leaves.items()}


def _run_block(
    theta: BlockParameters, spikes: Tensor, keep: Tensor, dynamics: Dynamics
) -> tuple[Tensor, Tensor]:
    neurons, states = theta.A_log.shape
    batch = spikes.shape[0]
    potentials = [spikes.new_zeros(batch, spikes.shape[2]) for _ in range(dynamics.psp_order)]
    h = spikes.new_zeros(batch, states, neurons)
    v, z = spikes.new_zeros(batch, neurons), spikes.new_zeros(batch, neurons)
    ys, zs = [], []
    for t in range(spikes.shape[1]):
        kept = keep[:, t, None]
        drive = spikes[:, t]
        for level, before in enumerate(potentials):
            drive = potentials[level] = dynamics.psp_decay * kept * before + drive
        selection = select(drive[:, None] * dynamics.psp_scale, theta)
        decay = discretise(selection.delta, theta.A_log)[:, 0]
        h = decay * kept[..., None] * h + state_input(selection)[:, 0]
        y = output(h[:, None], selection, theta.D)[:, 0]
        v = dynamics.membrane.step(kept * v, kept * z, y)
        z = SurrogateSpike.apply(v - dynamics.membrane.v_th)
        ys.append(y)
        zs.append(z)
    return torch.stack(ys, 1), torch.stack(zs, 1)
