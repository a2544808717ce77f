"""A block: LIF neurons whose dendrite is a selective state space, with state across chunks.

forward(chunk of spikes) → output and spikes;  adjoint(∂L/∂y, ∂L/∂z) → gradient and ∂L/∂spikes;
carry() → influences behind the chunk. The maths is in `functional`, this holds the state.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.engine.settings import Dynamics
from bim_explorer.functional.adjoint import BlockTrace, ChunkGradient, chunk_adjoint
from bim_explorer.functional.rtrl import (
    Influence,
    advance_,
    border_gradient,
    transport,
    with_bias_key,
)
from bim_explorer.functional.scans import Kernels
from bim_explorer.functional.selective_ssm import (
    BlockParameters,
    discretise,
    output,
    select,
    state_input,
)
from bim_explorer.functional.surrogate import spike
from bim_explorer.functional.traces import TraceFilter, trace, trace_adjoint


@dataclass(slots=True)
class BlockState:
    """What a block remembers between two chunks: potentials (order of the kernel), h and V."""

    psp: list[Float[Tensor, "batch input"]]
    h: Float[Tensor, "batch neuron state"]
    v: Float[Tensor, "batch neuron"]


class Block:
    """One block of the stack.

    Args:
        theta: Its nine parameter groups; written in place by the optimizer.
        batch: Streams that run side by side.
        kernels: The scans over time.
    """

    def __init__(self, theta: BlockParameters, batch: int, kernels: Kernels) -> None:
        self.theta = theta
        self.batch = batch
        self.kernels = kernels
        self.reset()

    def reset(self) -> None:
        """Forget the state of all streams and all influences."""
        neurons, states = self.theta.A_log.shape
        inputs, like = self.theta.W.shape[1], self.theta.W
        self.state = BlockState(
            psp=[like.new_zeros(self.batch, inputs) for _ in range(2)],
            h=like.new_zeros(self.batch, neurons, states),
            v=like.new_zeros(self.batch, neurons),
        )
        self.influence: Influence | None = None
        self._trace: BlockTrace | None = None
        self._filter: TraceFilter | None = None

    def forward(
        self,
        spikes: Float[Tensor, "batch time input"],
        keep: Float[Tensor, "batch time"],
        psp_filter: TraceFilter,
        dynamics: Dynamics,
    ) -> BlockTrace:
        """Advance all streams by a chunk (BIM eqs. 1-3)."""
        theta, state, membrane = self.theta, self.state, dynamics.membrane
        self._filter = psp_filter
        psp = self._potentials(spikes, psp_filter, dynamics)
        selection = select(psp, theta)
        decay = discretise(selection.delta, theta.A_log) * keep[..., None, None]
        h = self.kernels.scan(decay, state_input(selection), state.h)
        y = output(h, selection, theta.D)
        v = membrane.forward(y, keep, state.v, self.kernels)
        v_tm1 = torch.cat([state.v[:, None], v[:, :-1]], dim=1)
        self._trace = BlockTrace(
            psp=psp,
            selection=selection,
            decay=decay,
            h=h,
            h_tm1=torch.cat([state.h[:, None], h[:, :-1]], dim=1),
            y=y,
            v=v,
            slope=membrane.slope(v_tm1) * keep[..., None],
            z=spike(v - membrane.v_th),
        )
        state.h, state.v = h[:, -1].clone(), v[:, -1].clone()
        return self._trace

    def adjoint(
        self,
        d_y: Float[Tensor, "batch time neuron"],
        d_z: Float[Tensor, "batch time neuron"],
        dynamics: Dynamics,
        exact: bool,
        below: bool = True,
    ) -> tuple[BlockParameters, Float[Tensor, "batch time input"] | None]:
        """Gradient of the chunk's losses, and ∂L/∂spikes for the block below.

        Args:
            d_y: ∂L/∂y at each step, by the readout.
            d_z: ∂L/∂z at each step, by the readout and the block above.
            dynamics: The constants of the forward pass.
            exact: Add what the influences carry across the chunk's border (BIM eq. 8).
            below: Whether a block below asks for ∂L/∂spikes; None is returned otherwise.
        """
        assert self._trace is not None and self._filter is not None
        chunk: ChunkGradient = chunk_adjoint(
            self._trace, d_y, d_z, self.theta, dynamics.membrane, self.kernels, below
        )
        theta = chunk.theta
        if exact and self.influence is not None:
            past = border_gradient(self.influence, chunk.h_0, chunk.v_0, self.kernels)
            theta = BlockParameters(*(a + b for a, b in zip(theta, past, strict=True)))
        if chunk.psp is None:
            return theta, None
        d_spikes = chunk.psp * dynamics.psp_scale
        for _ in range(dynamics.psp_order):
            d_spikes = trace_adjoint(d_spikes, self._filter)
        return theta, d_spikes

    def carry(self, dynamics: Dynamics) -> None:
        """Move the influences to the end of the chunk that was run last (BIM eq. 7)."""
        assert self._trace is not None
        if self.influence is None:
            neurons, states = self.theta.A_log.shape
            inputs, like = self.theta.W.shape[1], self.theta.W
            self.influence = Influence.zeros(self.batch, neurons, states, inputs, like)
        move = transport(self._trace, self.theta, dynamics.membrane, self.kernels)
        self.influence = advance_(
            self.influence, move, with_bias_key(self._trace.psp), self.kernels
        )

    def forget_influence(self) -> None:
        """Drop the influences; the next `carry` starts from zero."""
        self.influence = None

    def _potentials(self, spikes: Tensor, kernel: TraceFilter, dynamics: Dynamics) -> Tensor:
        psp = spikes
        for level in range(dynamics.psp_order):
            psp = trace(psp, self.state.psp[level], kernel)
            self.state.psp[level] = psp[:, -1].clone()
        return psp * dynamics.psp_scale
