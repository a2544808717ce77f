"""The model written once more, from its formulas alone, for autograd: the tests' own oracle.

It uses nothing of the package: one stream at a time, one step at a time, sums spelled out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class PlainSpike(torch.autograd.Function):
    """H(v) with 1 / (1 + 4|v|)² as its derivative."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).double()

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return grad / (1 + 4 * v.abs()) ** 2


def plain_block(p: dict[str, Tensor], spikes: Tensor, keep: Tensor, values: dict) -> tuple:
    """y and z (time, neuron) of one stream (time, input), by the formulas of a block."""
    rho = math.exp(-values["dt_ms"] / values["tau_mem_ms"])
    kappa = math.exp(-values["dt_ms"] / values["tau_psp_ms"])
    v_th, alpha = values["v_th"], values["psp_kernel"] == "alpha"
    neurons, states = p["A_log"].shape
    A = -torch.exp(p["A_log"])
    first = second = torch.zeros(spikes.shape[1], dtype=torch.float64)
    h = torch.zeros(neurons, states, dtype=torch.float64)
    v = z = torch.zeros(neurons, dtype=torch.float64)
    ys, zs = [], []
    for s, k in zip(spikes, keep, strict=True):
        first = kappa * k * first + s
        second = kappa * k * second + first
        psp = second * (1 - kappa) if alpha else first
        u = p["W"] @ psp
        delta = torch.log1p(torch.exp(p["W_delta"] @ psp + p["b_delta"]))
        B = p["W_B"] @ psp + p["b_B"]
        C = p["W_C"] @ psp + p["b_C"]
        h = torch.exp(delta[:, None] * A) * k * h + torch.outer(delta * u, B)
        y = (h * C).sum(1) + p["D"] * u
        v = rho * k * v + (1 - rho) * 2.0 * y - v_th * k * z
        z = PlainSpike.apply(v - v_th)
        ys.append(y)
        zs.append(z)
    return torch.stack(ys), torch.stack(zs)


def plain_gradient(parameters: dict[str, Tensor], data, values: dict, local: bool = False) -> dict:
    """BPTT through all steps of all streams; with `local`, a loss on each block's own vote."""
    leaves = {name: t.detach().clone().requires_grad_() for name, t in parameters.items()}
    blocks = [
        {k.split(".")[1]: t for k, t in leaves.items() if k.startswith(f"block{i}.")}
        for i in range(values["n_blocks"])
    ]
    total = torch.zeros((), dtype=torch.float64)
    for b in range(data.spikes.shape[0]):
        spikes, votes = data.spikes[b], []
        for i, block in enumerate(blocks):
            y, z = plain_block(block, spikes, data.keep[b], values)
            vote = leaves["readout.b"][i].expand(len(y), -1)
            if "y" in values["readout"]:
                vote = vote + y @ leaves["readout.W_y"][i].T
            if "z" in values["readout"]:
                vote = vote + z @ leaves["readout.W_z"][i].T
            votes.append(vote)
            spikes = z.detach() if local else z
        for vote in votes if local else [sum(votes)]:
            nats = -torch.log_softmax(vote, -1)[torch.arange(len(vote)), data.target[b]]
            total = total + (nats * data.mask[b]).sum() / data.spikes.shape[0]
    total.backward()
    return {k: torch.zeros_like(t) if t.grad is None else t.grad for k, t in leaves.items()}
