"""What a backend must offer: everything over a chunk.

What spikes bring to a block, and its recurrences, forwards and backwards; the passes over its
influences; the readout and its loss; the spike pairs of STDP. The equations stand in
`selective_ssm`, `lif`, `adjoint`, `rtrl`, `readout` and `stdp`; a backend is free in how it gets
there, and may touch each number once.

Axes: batch b, time t, state s, neuron n, input m. Neurons stand last: they don't see each other,
so a processor's lanes can take one each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor

if TYPE_CHECKING:
    from bim_explorer.functional.adjoint import BlockGradient, BlockTrace
    from bim_explorer.functional.readout import Judgement, ReadoutParameters, Seen
    from bim_explorer.functional.rtrl import Families, Influence
    from bim_explorer.functional.selective_ssm import BlockParameters, Dendrite
    from bim_explorer.functional.soma import SomaTrace
    from bim_explorer.functional.stdp import StdpTraces, Window
    from bim_explorer.functional.traces import Presynaptic


@runtime_checkable
class Kernels(Protocol):
    """The work of a chunk that a backend does, batch first, time second.

    Attributes:
        name: The backend's name, as `backend` takes it.
    """

    name: str

    def membrane(
        self, y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
    ) -> SomaTrace:
        """V_t = keep_t (decay V_{t-1} - v_th H(V_{t-1} - v_th)) + gain y_t (BIM eq. 3).

        Args:
            y: Dendritic output (b, t, n).
            keep: 0 where a stream starts anew, else 1 (b, t).
            v_0: V before the chunk (b, n).
            decay: ρ.
            gain: (1-ρ) R_m.
            v_th: Threshold.

        Returns:
            V_1 … V_K, and what follows from it (b, t, n).
        """
        ...

    def dendrite(self, pre: Presynaptic, theta: BlockParameters, h_0: Tensor) -> Dendrite:
        """From spikes to what they select, and the state space over a chunk (BIM eqs. 1-3).

        Args:
            pre: What the potentials are made of.
            theta: The block's parameters.
            h_0: State before the chunk (b, s, n).
        """
        ...

    def adjoint(
        self,
        trace: BlockTrace,
        d_y: Tensor,
        d_z: Tensor | None,
        theta: BlockParameters,
        gain: float | Tensor,
        below: bool,
        carried: tuple[Influence, Families] | None = None,
    ) -> BlockGradient:
        """Reverse mode over the chunk (see `functional.adjoint`), and over all that was before it.

        With influences the gradient has δh_0·E_0 + δV_0·G_0 in it (BIM eq. 8), and they are
        moved to the chunk's end as by `carry`.

        Args:
            trace: What the chunk's forward pass left.
            d_y: ∂L/∂y at fixed V and h (b, t, n).
            d_z: ∂L/∂z (b, t, n); None where nothing reads the spikes.
            theta: The block's parameters.
            gain: g, what a unit of y adds to V: a number, or one for each neuron (n,).
            below: Whether a block below asks for ∂L/∂spikes.
            carried: The influences at the chunk's start, their memory being the backend's to
                write over, and which rows are kept; None for the gradient of the chunk alone.
        """
        ...

    def carry(
        self,
        influence: Influence,
        trace: BlockTrace,
        D: Tensor,
        gain: float | Tensor,
        families: Families,
    ) -> Influence:
        """The influences at a chunk's end (BIM eq. 7).

        Args:
            influence: At the chunk's start; its memory is the backend's, to write over.
            trace: What the chunk's forward pass left.
            D: (n,).
            gain: g, what a unit of y adds to V: a number, or one for each neuron (n,).
            families: The rows that are kept.
        """
        ...

    def judge(
        self,
        seen: Sequence[Seen],
        parameters: ReadoutParameters,
        target: Tensor,
        mask: Tensor,
        apart: bool,
    ) -> Judgement:
        """The readout's answer, its loss, and what follows from it; see `functional.readout`.

        Args:
            seen: What the readout sees of every block.
            parameters: The readout's.
            target: A class (b, t), or labels (b, t, c).
            mask: Whether it is asked for (b, t); somewhere it is.
            apart: Whether each block has a loss on its own vote.
        """
        ...

    def stdp(
        self, pre: Tensor, post: Tensor, keep: Tensor, traces: StdpTraces, window: Window
    ) -> tuple[Tensor, StdpTraces]:
        """Ω of the chunk (n, m) and the traces behind it (BIM eqs. 5-6; see `functional.stdp`)."""
        ...

    def stdp_traces(
        self, pre: Tensor, post: Tensor, keep: Tensor, traces: StdpTraces, window: Window
    ) -> StdpTraces:
        """Those traces alone, where nobody asks for Ω."""
        ...
