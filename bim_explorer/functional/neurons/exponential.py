"""`exponential`: the exponential integrate-and-fire neuron, reset to rest.

    V_t = (1 - z_{t-1}) q(V_{t-1}) + (1-ρ) R_m y_t
    q(V) = ρ V + (1-ρ) Δ_T exp((min(V, V_th) - V_T) / Δ_T)

    ρ = exp(-dt/τ_m)   Δ_T = sharpness of the upstroke = V_th / 4
    V_T = potential at which the upstroke begins = 3/4 V_th   rest = 0

Source: Fourcaud-Trocmé, Hansel, van Vreeswijk & Brunel (2003): τ dV/dt = -V + Δ_T exp((V-V_T)/Δ_T)
+ input. Its leak is stepped exactly and its upstroke by Euler; above threshold, where it would
run off within the step, it stays at threshold's value. Its slope is not written out here: it
follows from `left` by automatic differentiation, as it does for a neuron of your own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bim_explorer.functional.lif import MEMBRANE_RESISTANCE
from bim_explorer.functional.soma import Soma

SHARPNESS, ONSET = 0.25, 0.75


class Exponential(Soma):
    """Leak, exponential upstroke, reset to rest.

    Args:
        values: Flat values; `tau_mem_ms`, `dt_ms` and `v_th` are read.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.v_th: float = values["v_th"]
        self.decay = math.exp(-values["dt_ms"] / values["tau_mem_ms"])
        self.gain = (1.0 - self.decay) * MEMBRANE_RESISTANCE
        self._sharpness, self._onset = SHARPNESS * self.v_th, ONSET * self.v_th

    def left(self, v: Tensor, z: Tensor) -> Tensor:
        """Leak and upstroke of a neuron that did not spike; rest after a spike."""
        upstroke = torch.exp((v.clamp(max=self.v_th) - self._onset) / self._sharpness)
        drift = (1.0 - self.decay) * self._sharpness * upstroke
        return (1.0 - z) * (self.decay * v + drift)
