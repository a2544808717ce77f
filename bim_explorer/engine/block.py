"""A block: LIF neurons whose dendrite is a selective state space, with state across chunks.

forward(chunk of spikes) → output and spikes;  adjoint(∂L/∂y, ∂L/∂z) → gradient, what the past owes
included, and ∂L/∂spikes;  carry() → influences on, where a chunk had no loss. The maths is in
`functional`, this holds the state.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bim_explorer.engine.settings import Dynamics
from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.rtrl import Families, Influence
from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.selective_ssm import BlockParameters
from bim_explorer.functional.traces import Presynaptic


@dataclass(slots=True)
class BlockState:
    """What a block remembers between two chunks: what the filters of the potentials hold, h, V."""

    psp: Float[Tensor, "filter batch input"]
    h: Float[Tensor, "batch state neuron"]
    v: Float[Tensor, "batch neuron"]


class Block:
    """One block of the stack.

    Args:
        theta: Its nine parameter groups; written in place by the optimizer.
        batch: Streams that run side by side.
        kernels: The scans over time.

    Attributes:
        place: Synapses whose influences are kept, see `functional.rtrl.Influence`; None: all.
    """

    def __init__(self, theta: BlockParameters, batch: int, kernels: Kernels) -> None:
        self.theta = theta
        self.batch = batch
        self.kernels = kernels
        self.place: Int[Tensor, " synapse"] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the state of all streams and all influences."""
        neurons, states = self.theta.A_log.shape
        inputs, like = self.theta.W.shape[1], self.theta.W
        self.state = BlockState(
            psp=like.new_zeros(1, self.batch, inputs),
            h=like.new_zeros(self.batch, states, neurons),
            v=like.new_zeros(self.batch, neurons),
        )
        self.influence: Influence | None = None
        self.families = Families()
        self._trace: BlockTrace | None = None

    def forward(
        self,
        spikes: Float[Tensor, "batch time input"],
        keep: Float[Tensor, "batch time"],
        dynamics: Dynamics,
    ) -> BlockTrace:
        """Advance all streams by a chunk (BIM eqs. 1-3)."""
        theta, state, membrane = self.theta, self.state, dynamics.membrane
        self._trace = None  # what the last chunk left makes room for the next
        before = _filters(state.psp, dynamics.psp_order)
        pre = Presynaptic(spikes, before, keep, dynamics.psp_decay, dynamics.psp_scale)
        dendrite = self.kernels.dendrite(pre, theta, state.h)
        soma = membrane.forward(dendrite.y, keep, state.v, self.kernels)
        self._trace = BlockTrace(pre, dendrite, soma)
        state.psp = dendrite.psp_after
        state.h, state.v = dendrite.h_after, soma.v_after
        return self._trace

    def adjoint(
        self,
        d_y: Float[Tensor, "batch time neuron"],
        d_z: Float[Tensor, "batch time neuron"] | None,
        dynamics: Dynamics,
        below: bool = True,
        families: Families | None = None,
    ) -> tuple[BlockParameters, Float[Tensor, "batch time input"] | None]:
        """Gradient of the chunk's losses, and ∂L/∂spikes inside the chunk for the block below.

        Args:
            d_y: ∂L/∂y at each step, by the readout.
            d_z: ∂L/∂z at each step, by the readout and the block above; None if nothing reads it.
            dynamics: The constants of the forward pass.
            below: Whether a block below asks for ∂L/∂spikes; None is returned otherwise.
            families: The influences to keep, which bring in all that was before the chunk (BIM
                eq. 8) and are moved to its end as by `carry`; None for the chunk alone.
        """
        assert self._trace is not None
        carried = None if families is None else (self._kept(families), families)
        chunk = self.kernels.adjoint(
            self._trace, d_y, d_z, self.theta, dynamics.membrane.gain, below, carried
        )
        if chunk.influence is not None:
            self.influence = chunk.influence
        return chunk.theta, chunk.spikes

    def carry(self, dynamics: Dynamics, families: Families) -> None:
        """Move the influences to the end of the chunk that was run last (BIM eq. 7).

        Args:
            dynamics: The constants of the forward pass.
            families: The influences to keep; those that come new start at zero.
        """
        assert self._trace is not None
        self.influence = self.kernels.carry(
            self._kept(families), self._trace, self.theta.D, dynamics.membrane.gain, families
        )

    def _kept(self, families: Families) -> Influence:
        """The influences so far, in the form in which they are to be kept from now on."""
        place = self.place
        if self.influence is None:
            self.influence = Influence.zeros(self.batch, self.theta, families, place)
        elif families != self.families or not self.influence.has(place):
            self.influence = self.influence.kept_as(self.theta, self.families, families, place)
        self.families = families
        return self.influence

    def forget_influence(self) -> None:
        """Drop the influences; they start from zero again."""
        self.influence = None


def _filters(psp: Tensor, order: int) -> Float[Tensor, "filter batch input"]:
    """What so many filters hold; one that comes new begins at rest."""
    missing = order - psp.shape[0]
    if missing > 0:
        return torch.cat([psp, psp.new_zeros(missing, *psp.shape[1:])])
    return psp[:order] if missing else psp
