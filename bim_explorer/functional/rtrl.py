"""Exact RTRL of one block in chunks: the influences, and the gradient they carry across borders.

    E_K = dec_0 E_0 + Σ_k (dec_k ⊙ g_k) ⊗ p_k                         (BIM eq. 7, K steps at once)
    G_K = w_0 G_0 + c_0·E_0 + Σ_k (c_k·g_k + w_k (1-ρ) R_m ∂y_k) ⊗ p_k
    ∂L/∂θ = chunk's reverse mode + δh_0·E_0 + δV_0·G_0                (BIM eq. 8)

    E = influence of a parameter on h        G = influence on V
    g_k = immediate derivative of h_k        p = key: postsynaptic potentials, and 1 for a bias
    dec_k = Π_{m>k} keep_m a_m               w_k = Π_{m>k} keep_m r_m
    c_k = adjoint of V_K at h_k = c_{k+1} keep a_{k+1} + w_k (1-ρ) R_m C_k,  c_0 = keep a_1 c_1

    immediate derivatives, i a neuron, n a state, j an input
    W        Δ_i B_n           key p_j       W_B      Δ_i u_i (same n only)   key p_j
    W_Δ      (A a h + u B) σ   key p_j       A_log    a h Δ A                 no key

A key's p is its neuron's spikes s, filtered, and the filter's adjoint can be taken on the left
factors L instead: Σ_k L_k ⊗ p_k = Σ_k L̃_k ⊗ s_k + L̃_0 ⊗ p_0, L̃_k = L_k + κ keep_{k+1} L̃_{k+1}.
What is left to multiply are 0 and 1: a backend may add up the rows at which a spike fell.

Rows of the stacked influence, for each key and neuron: E of W, W_Δ, W_B (S each), G of W and W_Δ
(1 each), G of W_B and W_C (S each): 5S + 2 rows that share one key, so a chunk is one matrix
product. Rows that nobody reads are not kept (`Families`): a block whose V reaches no loss has no G,
and where only synapses learn W's rows are alone.
A neuron's state depends on its own rows of W and W_Δ alone, and on W_B and W_C only through itself:
E[n,j,i] therefore needs no index for "which neuron's parameter", and eq. 7 is exact at that cost.
The influence of a pruned synapse is kept as it is and never read: ∂h/∂w exists at w = 0, too.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.selective_ssm import BlockParameters


class Families(NamedTuple):
    """Which influences are kept.

    Attributes:
        selection: Those of the parameters beside W: where they learn.
        membrane: Those on V: where a loss or a block above reads spikes.
    """

    selection: bool = True
    membrane: bool = True

    def sizes(self, states: int) -> list[int]:
        """Rows of every family, in the order of `Rows`; 0 where it is not kept."""
        return [
            states,
            states * self.selection,
            states * self.selection,
            1 * self.membrane,
            1 * (self.membrane and self.selection),
            states * (self.membrane and self.selection),
            states * (self.membrane and self.selection),
        ]


class Rows(NamedTuple):
    """The families of the stacked influence, as views."""

    h_W: Tensor
    h_delta: Tensor
    h_B: Tensor
    v_W: Tensor
    v_delta: Tensor
    v_B: Tensor
    v_C: Tensor


def rows(stacked: Tensor, states: int, families: Families) -> Rows:
    """Views of the families of a stacked tensor, whose axis 1 has the rows."""
    return Rows(*stacked.split(families.sizes(states), dim=1))


class Influence(NamedTuple):
    """∂(h, V)/∂θ at the end of a chunk, N neurons, S states, M inputs.

    Attributes:
        keyed: The stacked rows, the last key being the bias.
        A_log_h: Influence of A_log on h.
        A_log_v: Influence of A_log on V.
        D_v: Influence of D on V.
    """

    keyed: Float[Tensor, "batch row key neuron"]
    A_log_h: Float[Tensor, "batch state neuron"]
    A_log_v: Float[Tensor, "batch state neuron"]
    D_v: Float[Tensor, "batch neuron"]

    @classmethod
    def zeros(cls, batch: int, theta: BlockParameters, families: Families) -> Influence:
        """No influence yet, for a block's parameters."""
        (neurons, states), inputs, like = theta.A_log.shape, theta.W.shape[1], theta.W
        return cls(
            like.new_zeros(batch, sum(families.sizes(states)), inputs + 1, neurons),
            like.new_zeros(batch, states, neurons),
            like.new_zeros(batch, states, neurons),
            like.new_zeros(batch, neurons),
        )

    def with_families(self, old: Families, new: Families) -> Influence:
        """The same with other rows; those that come new start at zero."""
        states = self.A_log_h.shape[1]
        pieces = []
        for kept, size in zip(rows(self.keyed, states, old), new.sizes(states), strict=True):
            shape = (kept.shape[0], size, *kept.shape[2:])
            pieces.append(kept if kept.shape[1] == size else kept.new_zeros(shape))
        return self._replace(keyed=torch.cat(pieces, dim=1))


class BorderSums(NamedTuple):
    """δh_0·E_0 + δV_0·G_0 of every family, summed over the streams; 0 where it is not kept."""

    W: Float[Tensor, "key neuron"]
    delta: Float[Tensor, "key neuron"]
    B: Float[Tensor, "state key"]
    C: Float[Tensor, "state key"]
    A_log: Float[Tensor, "state neuron"]
    D: Float[Tensor, " neuron"]

    def by_parameter(self) -> BlockParameters:
        """What the past adds to the gradient; the last key is the bias."""
        return BlockParameters(
            W=self.W[:-1].T,
            W_delta=self.delta[:-1].T,
            b_delta=self.delta[-1],
            W_B=self.B[:, :-1],
            b_B=self.B[:, -1],
            W_C=self.C[:, :-1],
            b_C=self.C[:, -1],
            A_log=self.A_log.T,
            D=self.D,
        )
