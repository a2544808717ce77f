"""`lif`, the paper's neuron: leaky integrate-and-fire, reset by subtraction (BIM eq. 3).

    V_t = ρ V_{t-1} + (1-ρ) R_m y_t - V_th z_{t-1},   ρ = exp(-dt/τ_m)

Its maths is `functional.lif`; every backend has a scan of its own for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bim_explorer.functional.lif import Membrane


def lif(values: Mapping[str, Any]) -> Membrane:
    """The neuron for the flat values `tau_mem_ms`, `dt_ms` and `v_th`."""
    return Membrane.from_ms(values["tau_mem_ms"], values["dt_ms"], values["v_th"])
