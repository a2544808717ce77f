"""Truncated BPTT of the same network as a user of torch would write it: an eager loop, autograd.

Everything that does not hang on the step before is done for the whole chunk at once, outside the
loops: potentials by one matrix product, projections, decays and state inputs, y from all h. Only
h (one operation a step) and the membrane (three) are loops, over contiguous time-major slices.
State is detached at a chunk's border; Adam is torch's fused one. It knows no restarts of streams,
no STDP and no bounds, which spares it work that `engine.learner` does.

Equations: BIM eqs. 1-3 as in `functional.selective_ssm` and `functional.lif`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, softplus

from bim_explorer.bench.work import lif_of
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.network import Network
from bim_explorer.engine.optimizer import ADAM_BETAS, ADAM_EPSILON
from bim_explorer.functional.selective_ssm import BlockParameters
from bim_explorer.functional.surrogate import SurrogateSpike


class AutogradLearner:
    """Trains a copy of a network's weights by autograd, a chunk at a time.

    Args:
        network: Gives weights, constants and the number of streams.
        learning_rate: η of Adam.
    """

    def __init__(self, network: Network, learning_rate: float) -> None:
        named = network.parameters()
        self.leaves = {k: t.detach().clone().requires_grad_() for k, t in named.items()}
        self.dynamics = network.dynamics
        self.soma = lif_of(network)
        self.optimizer = torch.optim.Adam(
            self.leaves.values(), learning_rate, ADAM_BETAS, ADAM_EPSILON, fused=True
        )
        self.thetas = [
            BlockParameters(*(self.leaves[f"block{i}.{k}"] for k in BlockParameters._fields))
            for i in range(len(network.blocks))
        ]
        self.state = [_rest(block.batch, block.theta) for block in network.blocks]

    def update(self, chunk: Chunk) -> Mapping[str, Tensor]:
        """One chunk and one step of Adam; returns the leaves, whose `grad` stands."""
        like = self.leaves["readout.b"]
        spikes = torch.from_numpy(chunk.spikes).to(like).transpose(0, 1).contiguous()
        target = torch.from_numpy(chunk.target).to(like.device).T
        logits = self.forward(spikes)
        loss = cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="sum")
        self.optimizer.zero_grad(set_to_none=True)
        (loss / spikes.shape[1]).backward()
        self.optimizer.step()
        return self.leaves

    def forward(self, spikes: Tensor) -> Tensor:
        """Logits (time, batch, class) of a chunk of spikes (time, batch, input)."""
        W_y, W_z, b = (self.leaves[f"readout.{name}"] for name in ("W_y", "W_z", "b"))
        logits = b.sum(0)
        for index, theta in enumerate(self.thetas):
            y, spikes = self._block(index, theta, spikes)
            if self.dynamics.reads_y:
                logits = logits + linear(y, W_y[index])
            if self.dynamics.reads_z:
                logits = logits + linear(spikes, W_z[index])
        return logits

    def _block(self, index: int, theta: BlockParameters, spikes: Tensor) -> tuple[Tensor, Tensor]:
        psp_0, h, v, z = self.state[index]
        psp = _potentials(spikes, psp_0, self.dynamics.psp_decay)
        u = linear(psp, theta.W)
        delta = softplus(linear(psp, theta.W_delta, theta.b_delta))
        B, C = linear(psp, theta.W_B, theta.b_B), linear(psp, theta.W_C, theta.b_C)
        decay = torch.exp(delta[..., None] * -torch.exp(theta.A_log))
        source = (delta * u)[..., None] * B[..., None, :]
        hs = []
        for decay_t, source_t in zip(decay.unbind(), source.unbind(), strict=True):
            h = torch.addcmul(source_t, decay_t, h)
            hs.append(h)
        y = (torch.stack(hs) @ C[..., None]).squeeze(-1) + theta.D * u
        membrane = self.soma
        zs = []
        for drive_t in (membrane.gain * y).unbind():
            v = torch.add(drive_t, v, alpha=membrane.decay).sub(z, alpha=membrane.v_th)
            z = SurrogateSpike.apply(v - membrane.v_th)
            zs.append(z)
        self.state[index] = tuple(x.detach() for x in (psp[-1], h, v, z))
        return y, torch.stack(zs)


def _potentials(spikes: Tensor, psp_0: Tensor, decay: float) -> Tensor:
    """p_t = κ p_{t-1} + s_t for the whole chunk, as one product with a triangular matrix."""
    steps = torch.arange(len(spikes), device=spikes.device, dtype=spikes.dtype)
    age = steps[:, None] - steps
    kernel = torch.where(age >= 0, decay ** age.clamp(min=0), 0.0)
    past = (decay ** (steps + 1))[:, None, None] * psp_0
    return (kernel @ spikes.flatten(1)).view_as(spikes) + past


def _rest(batch: int, theta: BlockParameters) -> tuple[Tensor, ...]:
    """Potentials, h, V and spikes of streams at rest."""
    neurons, states = theta.A_log.shape
    like, inputs = theta.W, theta.W.shape[1]
    shapes = ((batch, inputs), (batch, neurons, states), (batch, neurons), (batch, neurons))
    return tuple(like.new_zeros(*shape) for shape in shapes)
