"""What a backend must offer: the scans over time, and the two passes over the influences.

Everything else over a chunk is a small matrix product or elementwise, and is written once in
`functional`. The influences are by far the largest arrays: a backend may read and write each
number once. Trailing axes `…` are any number of independent channels.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Kernels(Protocol):
    """The sequential scans, batch first, time second.

    Attributes:
        name: The backend's name, as `backend` takes it.
    """

    name: str

    def scan(self, decay: Tensor, source: Tensor, initial: Tensor) -> Tensor:
        """x_t = decay_t x_{t-1} + source_t.

        Args:
            decay: (batch, time, …).
            source: (batch, time, …).
            initial: x_0, (batch, …).

        Returns:
            x_1 … x_K, (batch, time, …).
        """
        ...

    def scan_adjoint(self, decay: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """λ_t = source_t + decay_{t+1} λ_{t+1} from the end; nothing comes from behind it.

        Returns:
            λ_1 … λ_K (batch, time, …), and what reaches the start, decay_1 λ_1 (batch, …).
        """
        ...

    def decay_to_end(self, decay: Tensor) -> tuple[Tensor, Tensor]:
        """Products of the decays behind each step, Π_{m>k} decay_m.

        Returns:
            For k = 1 … K (batch, time, …), and for k = 0 (batch, …).
        """
        ...

    def membrane(
        self, y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
    ) -> Tensor:
        """V_t = keep_t (decay V_{t-1} - v_th H(V_{t-1} - v_th)) + gain y_t (BIM eq. 3).

        Args:
            y: Dendritic output (batch, time, neuron).
            keep: 0 where a stream starts anew, else 1 (batch, time).
            v_0: V before the chunk (batch, neuron).
            decay: ρ.
            gain: (1-ρ) R_m.
            v_th: Threshold.

        Returns:
            V_1 … V_K, (batch, time, neuron).
        """
        ...

    def advance_influence(
        self,
        keyed: Tensor,
        drive: Tensor,
        key: Tensor,
        decay: Tensor,
        slope: Tensor,
        cross: Tensor,
    ) -> None:
        """Carry stacked influences over a chunk, in place (BIM eq. 7; see `functional.rtrl`).

        Args:
            keyed: E and G in the rows of `functional.rtrl.rows`, (batch, neuron, 5S+2, key).
            drive: Left factor of the chunk's product, (batch, time, neuron, 5S+2).
            key: p and 1, (batch, time, key).
            decay: dec_0, (batch, neuron, state).
            slope: w_0, (batch, neuron).
            cross: c_0, (batch, neuron, state).
        """
        ...

    def border_gradient(
        self, keyed: Tensor, d_h0: Tensor, d_v0: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """δh_0·E_0 + δV_0·G_0, summed over the streams (BIM eq. 8).

        Args:
            keyed: As in `advance_influence`.
            d_h0: δh_0, (batch, neuron, state).
            d_v0: δV_0, (batch, neuron).

        Returns:
            Of W and W_Δ (neuron, key), of W_B and W_C (state, key).
        """
        ...
