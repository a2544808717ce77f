"""Exact RTRL of one block, a step at a time, as a careful user of torch would write it.

The plain step loop that a fused step is held against: influences are written in place, the two
families that y sums over states share one array, none is copied, and nothing is kept that only
autograd would need.

    E_t = a_t E_{t-1} + g_t ⊗ p_t           G_t = r_t G_{t-1} + (1-ρ) R_m ∂y_t      (BIM eq. 7)
    ∂y_t = C_t·E_t + D p_t for W, C_t·E_t for W_Δ, C_t E_t for W_B, h_t p_t for W_C
    ∂L/∂θ = e_t ∂y_t + δV_t G_t,   e = ∂L/∂y,   δV = ψ ∂L/∂z                        (BIM eq. 8)

Immediate derivatives g and symbols as in `functional.rtrl`. No restarts, no STDP, no bounds.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear, softplus

from bim_explorer.bench.work import lif_of
from bim_explorer.core.interfaces import Chunk
from bim_explorer.engine.network import Network
from bim_explorer.engine.optimizer import ADAM_BETAS, ADAM_EPSILON
from bim_explorer.functional.lif import membrane_slope
from bim_explorer.functional.surrogate import surrogate_derivative


class EagerRtrl:
    """Trains a copy of a one-block network's weights, one step and one update at a time.

    Args:
        network: Gives weights, constants and the number of streams; its readout sees y and z.
        learning_rate: η.
        sgd: Descend by plain SGD in place of Adam.
    """

    def __init__(self, network: Network, learning_rate: float, sgd: bool = False) -> None:
        self.leaves = {name: t.clone() for name, t in network.parameters().items()}
        self.theta = type(network.blocks[0].theta)(
            *(self.leaves[f"block0.{name}"] for name in network.blocks[0].theta._fields)
        )
        self.dynamics = network.dynamics
        self.soma = lif_of(network)
        leaves = self.leaves.values()
        self.optimizer = (
            torch.optim.SGD(leaves, learning_rate, fused=True)
            if sgd
            else torch.optim.Adam(leaves, learning_rate, ADAM_BETAS, ADAM_EPSILON, fused=True)
        )
        (neurons, states), inputs = self.theta.A_log.shape, self.theta.W.shape[1]
        batch, zeros = network.blocks[0].batch, self.theta.W.new_zeros
        self.key = zeros(batch, inputs + 1)
        self.h = zeros(batch, neurons, states)
        self.v, self.z = zeros(batch, neurons), zeros(batch, neurons)
        self.on_h = zeros(batch, neurons, 2, states, inputs + 1)
        self.B_on_h = zeros(batch, neurons, states, inputs + 1)
        self.on_v = zeros(batch, neurons, 2, inputs + 1)
        self.B_on_v = zeros(batch, neurons, states, inputs + 1)
        self.C_on_v = zeros(batch, neurons, states, inputs + 1)
        self.A_on_h, self.A_on_v = zeros(batch, neurons, states), zeros(batch, neurons, states)
        self.D_on_v = zeros(batch, neurons)

    @torch.no_grad()
    def update(self, chunk: Chunk) -> dict[str, Tensor]:
        """Every step of the chunk with an update of its own; returns the weights."""
        spikes = torch.from_numpy(chunk.spikes).to(self.key)
        target = torch.from_numpy(chunk.target)
        for t in range(chunk.n_steps):
            self.step(spikes[:, t], target[:, t])
        return self.leaves

    def step(self, spikes: Tensor, target: Tensor) -> None:
        """One step of all streams (batch, input), and one update."""
        theta, key, h_tm1 = self.theta, self.key, self.h
        key[:, -1] = 0.0
        key.mul_(self.dynamics.psp_decay)
        key[:, :-1].add_(spikes)
        key[:, -1] = 1.0
        psp = key[:, :-1]
        u, pre = linear(psp, theta.W), linear(psp, theta.W_delta, theta.b_delta)
        B, C = linear(psp, theta.W_B, theta.b_B), linear(psp, theta.W_C, theta.b_C)
        delta = softplus(pre)
        A = -torch.exp(theta.A_log)
        a = torch.exp(delta[..., None] * A)
        decayed = a * h_tm1
        u_B = u[..., None] * B[:, None]
        self.h = torch.addcmul(decayed, delta[..., None], u_B)
        y = torch.addcmul(torch.einsum("bin,bn->bi", self.h, C), theta.D, u)
        g = torch.stack(
            [
                delta[..., None] * B[:, None],
                torch.addcmul(u_B, decayed, A).mul_(torch.sigmoid(pre)[..., None]),
            ],
            2,
        )
        self.B_on_h.mul_(a[..., None])
        self.B_on_h.addcmul_((delta * u)[..., None, None], key[:, None, None])
        d_y = self._advance(a, g, C, u, decayed.mul_(A).mul_(delta[..., None]), y)
        self._descend(d_y, C, u, y, target)

    def _advance(
        self, a: Tensor, g: Tensor, C: Tensor, u: Tensor, g_A: Tensor, y: Tensor
    ) -> Tensor:
        """Move all influences by one step; returns ∂y of W and W_Δ (batch, neuron, 2, key)."""
        soma, key = self.soma, self.key[:, None, None]
        slope = membrane_slope(self.v, soma)
        self.on_h.mul_(a[:, :, None, :, None]).addcmul_(g[..., None], key[:, None])
        d_y = (C[:, None, None, None] @ self.on_h).squeeze(3)
        d_y[:, :, 0].addcmul_(self.theta.D[:, None], key[:, 0])
        self.on_v.mul_(slope[..., None, None]).add_(d_y, alpha=soma.gain)
        self.B_on_v.mul_(slope[..., None, None])
        self.B_on_v.addcmul_((soma.gain * C)[:, None, :, None], self.B_on_h)
        self.C_on_v.mul_(slope[..., None, None])
        self.C_on_v.addcmul_((soma.gain * self.h)[..., None], key)
        self.A_on_h.mul_(a).add_(g_A)
        self.A_on_v.mul_(slope[..., None]).addcmul_((soma.gain * C)[:, None], self.A_on_h)
        self.D_on_v.mul_(slope).add_(u, alpha=soma.gain)
        self.v.mul_(soma.decay).add_(y, alpha=soma.gain).sub_(self.z, alpha=soma.v_th)
        self.z = (self.v > soma.v_th).to(self.v)
        return d_y

    def _descend(self, d_y: Tensor, C: Tensor, u: Tensor, y: Tensor, target: Tensor) -> None:
        """The gradient of this step's loss, and one step of the optimizer."""
        W_y, W_z, b = (self.leaves[f"readout.{name}"] for name in ("W_y", "W_z", "b"))
        d_vote = torch.softmax(y @ W_y[0].T + self.z @ W_z[0].T + b[0], -1)
        d_vote[torch.arange(len(target)), target] -= 1.0
        d_vote /= len(target)
        e = d_vote @ W_y[0]
        psi = surrogate_derivative(self.v - self.soma.v_th)
        d_v = psi * (d_vote @ W_z[0])
        rows = torch.einsum("bi,bifj->fij", e, d_y) + torch.einsum("bi,bifj->fij", d_v, self.on_v)
        e_C = e[..., None] * C[:, None]
        of_B = torch.einsum("bin,binj->nj", e_C, self.B_on_h)
        of_B += torch.einsum("bi,binj->nj", d_v, self.B_on_v)
        of_C = torch.einsum("bi,bin,bj->nj", e, self.h, self.key)
        of_C += torch.einsum("bi,binj->nj", d_v, self.C_on_v)
        found = {
            "W": rows[0, :, :-1],
            "W_delta": rows[1, :, :-1],
            "b_delta": rows[1, :, -1],
            "W_B": of_B[:, :-1],
            "b_B": of_B[:, -1],
            "W_C": of_C[:, :-1],
            "b_C": of_C[:, -1],
            "A_log": (e_C * self.A_on_h + d_v[..., None] * self.A_on_v).sum(0),
            "D": (e * u + d_v * self.D_on_v).sum(0),
        }
        for name, gradient in found.items():
            # torch's fused Adam reads a strided gradient as if it were contiguous
            self.leaves[f"block0.{name}"].grad = gradient.contiguous()
        self.leaves["readout.W_y"].grad = (d_vote.T @ y)[None]
        self.leaves["readout.W_z"].grad = (d_vote.T @ self.z)[None]
        self.leaves["readout.b"].grad = d_vote.sum(0)[None]
        self.optimizer.step()
