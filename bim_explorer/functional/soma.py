"""The soma: what every neuron of one state promises, and what follows from it.

    V_t = f(keep_t V_{t-1}, keep_t z_{t-1}) + g y_t,   z_t = H(V_t - V_th)
    r_t = ∂V_t/∂V_{t-1} = ∂f/∂V + ψ(V_{t-1} - V_th) ∂f/∂z

    V = membrane potential   z = spike   y = dendritic output   V_th = threshold
    f = what is left of V after a step without input (`left`)   g = `gain`
    keep_t = 0 where a stream starts anew, else 1   ψ = surrogate derivative

RTRL stays exact for any such neuron: since neurons do not see each other's state, all that its
influences need of the soma is r_t and g (BIM eqs. 7-8). Whatever reads y alone and has this one
state is a neuron; `bim-explorer audit --set neuron=NAME` shows it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.surrogate import SurrogateSpike, spike, surrogate_derivative


class SomaTrace(NamedTuple):
    """What somata did over a chunk; `psi` is ψ_t, `slope` is keep_t r_t, `v_after` the last V."""

    v: Float[Tensor, "batch time neuron"]
    z: Float[Tensor, "batch time neuron"]
    psi: Float[Tensor, "batch time neuron"]
    slope: Float[Tensor, "batch time neuron"]
    v_after: Float[Tensor, "batch neuron"]


class Soma(ABC):
    """A neuron of one state; a subclass is built as `Neuron(values)` and defines `left`.

    Attributes:
        gain: g, what a unit of y adds to V: one number, or one for each neuron (neuron,).
        v_th: Threshold, likewise.
    """

    gain: Any
    v_th: Any

    @abstractmethod
    def left(self, v: Tensor, z: Tensor) -> Tensor:
        """f, what is left of V after a step without input.

        Args:
            v: V a step before, the neurons last.
            z: Spikes a step before, likewise.
        """

    def step(self, v_tm1: Tensor, z_tm1: Tensor, y_t: Tensor) -> Tensor:
        """V_t."""
        return self.left(v_tm1, z_tm1) + self.gain * y_t

    def forward(self, y: Tensor, keep: Tensor, v_0: Tensor, kernels: Kernels) -> SomaTrace:
        """V, z and their slopes over a chunk.

        Args:
            y: Dendritic output (batch, time, neuron).
            keep: 0 where a stream starts anew, else 1 (batch, time).
            v_0: V before the chunk (batch, neuron).
            kernels: The scans over time, for a neuron that has one of its own.
        """
        v, before = torch.empty_like(y), v_0
        for t in range(y.shape[1]):
            kept = keep[:, t, None]
            z = (before > self.v_th).to(y.dtype)
            before = self.step(kept * before, kept * z, y[:, t])
            v[:, t] = before
        slope = self.slope(torch.cat([v_0[:, None], v[:, :-1]], dim=1))
        above, slope = v - self.v_th, slope * keep[..., None]
        return SomaTrace(v, spike(above), surrogate_derivative(above), slope, before)

    def slope(self, v_tm1: Tensor) -> Any:
        """r_t at V_{t-1}, the reset's own path included; by automatic differentiation of `left`.

        A subclass may write it out, which is faster; the audit says whether it is right.
        """
        with torch.enable_grad():
            v = v_tm1.detach().requires_grad_()
            z = SurrogateSpike.apply(v - self.v_th)
            (slope,) = torch.autograd.grad(self.left(v, z).sum(), v)
        return slope
