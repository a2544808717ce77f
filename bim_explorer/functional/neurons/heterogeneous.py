"""`heterogeneous`: leaky integrate-and-fire neurons, each with a time constant of its own.

    V_t = ρ_i V_{t-1} + (1-ρ_i) R_m y_t - V_th z_{t-1},   ρ_i = exp(-dt/τ_i)
    τ_i = τ_m x_i,  x_i ~ Gamma(3, 1/3)

    τ_i = time constant of neuron i [ms]   τ_m = their mean, `tau_mem_ms`

Source: Perez-Nieves, Leung, Dragotti & Goodman (2021), "Neural heterogeneity promotes robust
learning": time constants drawn from Gamma(3, τ_m/3). There they are learned as well; here they
stay as they were drawn from the run's seed, the same in every block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bim_explorer.core.seeding import generator
from bim_explorer.functional.lif import MEMBRANE_RESISTANCE
from bim_explorer.functional.soma import Soma
from bim_explorer.functional.surrogate import surrogate_derivative

SHAPE = 3.0


class Heterogeneous(Soma):
    """Leak and gain of each neuron (neuron,); reset by subtraction.

    Args:
        values: Flat values; `tau_mem_ms`, `dt_ms`, `v_th`, `d_model`, `seed`, `device` and
            `dtype` are read.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        rng = generator(values["seed"], "membrane time constants")
        drawn = rng.gamma(SHAPE, 1.0 / SHAPE, size=values["d_model"])
        tau_ms = torch.from_numpy(drawn) * values["tau_mem_ms"]
        decay = torch.exp(-values["dt_ms"] / tau_ms)
        place = {"device": values["device"], "dtype": getattr(torch, values["dtype"])}
        self.decay = decay.to(**place)
        self.gain = ((1.0 - decay) * MEMBRANE_RESISTANCE).to(**place)
        self.v_th: float = values["v_th"]

    def left(self, v: Tensor, z: Tensor) -> Tensor:
        """Each neuron's own leak, and reset by subtraction."""
        return self.decay * v - self.v_th * z

    def slope(self, v_tm1: Tensor) -> Any:
        """r_t, leak and reset."""
        return self.decay - self.v_th * surrogate_derivative(v_tm1 - self.v_th)
