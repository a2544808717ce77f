"""Reverse mode through one block, inside a chunk: from ∂L/∂y and ∂L/∂z to all parameters.

    λ_t = ψ_t ∂L/∂z_t + keep r_{t+1} λ_{t+1}          adjoint of V
    δy_t = ∂L/∂y_t + (1-ρ) R_m λ_t
    δh_t = C_t δy_tᵀ + keep a_{t+1} ⊙ δh_{t+1}        adjoint of h

    with δa_t = δh_t ⊙ keep a_t ⊙ h_{t-1}, all per step and stream:
    δu = D δy + Δ Σ_n B_n δh_n        δΔ = Σ_n A_n δa_n + u Σ_n B_n δh_n
    δB_n = Σ_i Δ u δh_n               δC_n = Σ_i δy h_n
    δA_log = A Σ_t Δ δa               δD = Σ_t u δy

At the chunk's border nothing comes back from the future; what goes on into the past, δh_0 and
δV_0, meets the influences there: `rtrl` turns it into the exact gradient.

Source: BIM eqs. 1-3 differentiated; `trace` holds what the forward pass left.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.rtrl import Influence
from bim_explorer.functional.selective_ssm import BlockParameters, Dendrite
from bim_explorer.functional.soma import SomaTrace
from bim_explorer.functional.traces import Presynaptic


class BlockTrace(NamedTuple):
    """What the forward pass of a chunk leaves for its adjoint and for the influences."""

    pre: Presynaptic
    dendrite: Dendrite
    soma: SomaTrace

    @property
    def y(self) -> Float[Tensor, "batch time neuron"]:
        """The dendrite's output."""
        return self.dendrite.y

    @property
    def v(self) -> Float[Tensor, "batch time neuron"]:
        """The membrane potentials."""
        return self.soma.v

    @property
    def z(self) -> Float[Tensor, "batch time neuron"]:
        """The spikes."""
        return self.soma.z


class BlockGradient(NamedTuple):
    """What a chunk's losses ask of a block.

    Attributes:
        theta: Gradient of its parameters.
        spikes: ∂L/∂spikes inside the chunk; None where nothing below asks for it.
        influence: At the chunk's end, where influences are carried.
    """

    theta: BlockParameters
    spikes: Float[Tensor, "batch time input"] | None
    influence: Influence | None = None
