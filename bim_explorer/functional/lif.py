"""The soma: a leaky integrate-and-fire neuron, reset by subtraction (BIM eq. 3).

    V_t = ρ V_{t-1} + (1-ρ) R_m y_t - V_th z_{t-1},   z_t = H(V_t - V_th)
    r_t = ∂V_t/∂V_{t-1} = ρ - V_th ψ(V_{t-1} - V_th)

    V = membrane potential   ρ = exp(-dt/τ_m)   R_m = membrane resistance
    y = dendritic output (the selective state space)   z = spike   V_th = threshold

Departs from eq. 3: its synaptic sum passes through the state space before it reaches the soma,
and I_ext = 0. The reset's own path stays in r_t: without it gradients are 1-4 % off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.soma import Soma, SomaTrace
from bim_explorer.functional.surrogate import surrogate_derivative

MEMBRANE_RESISTANCE = 2.0


@dataclass(frozen=True, slots=True)
class Membrane(Soma):
    """Constants of the soma; the kernels have a scan of their own for it.

    Attributes:
        decay: ρ, share of V that is left after a step.
        gain: (1-ρ) R_m, what a unit of y adds to V.
        v_th: Threshold, and what a spike takes off V.
    """

    decay: float
    gain: float
    v_th: float

    @classmethod
    def from_ms(cls, tau_mem_ms: float, dt_ms: float, v_th: float) -> Membrane:
        """The constants for a time constant and a time step in ms."""
        decay = math.exp(-dt_ms / tau_mem_ms)
        return cls(decay, (1.0 - decay) * MEMBRANE_RESISTANCE, v_th)

    def left(self, v: Tensor, z: Tensor) -> Tensor:
        """Leak, and reset by subtraction."""
        return self.decay * v - self.v_th * z

    def forward(self, y: Tensor, keep: Tensor, v_0: Tensor, kernels: Kernels) -> SomaTrace:
        """V, z and their slopes by the backend's scan."""
        return kernels.membrane(y, keep, v_0, self.decay, self.gain, self.v_th)

    def slope(self, v_tm1: Tensor) -> Any:
        """r_t, leak and reset."""
        return membrane_slope(v_tm1, self)


def membrane_step(
    v_tm1: Float[Tensor, "batch neuron"],
    z_tm1: Float[Tensor, "batch neuron"],
    y_t: Float[Tensor, "batch neuron"],
    membrane: Membrane,
) -> Float[Tensor, "batch neuron"]:
    """V_t, one step of the membrane (BIM eq. 3)."""
    return membrane.decay * v_tm1 + membrane.gain * y_t - membrane.v_th * z_tm1


def membrane_slope(v_tm1: Float[Tensor, "*shape"], membrane: Membrane) -> Any:
    """r_t = ∂V_t/∂V_{t-1}, leak and reset."""
    return membrane.decay - membrane.v_th * surrogate_derivative(v_tm1 - membrane.v_th)
