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
product. What nobody reads is not kept (`Families`): a block whose V reaches no loss has no G, where
only synapses learn W's rows are alone, and where few synapses live W has columns for these alone.
A neuron's state depends on its own rows of W and W_Δ alone, and on W_B and W_C only through itself:
E[n,j,i] therefore needs no index for "which neuron's parameter", and eq. 7 is exact at that cost.
∂h/∂w exists at w = 0, too: where a pruned synapse's influence is kept it is what it would be.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from bim_explorer.functional.selective_ssm import BlockParameters


class Families(NamedTuple):
    """Which influences are kept.

    Attributes:
        selection: Those of the parameters beside W: where they learn.
        membrane: Those on V: where a loss or a block above reads spikes.
        dense: Those of W for every synapse; else for some alone, which `Influence` names.
    """

    selection: bool = True
    membrane: bool = True
    dense: bool = True

    def sizes(self, states: int) -> list[int]:
        """Rows of every family, in the order of `Rows`; 0 where it is not kept."""
        both = self.selection and self.membrane
        return [
            states * self.dense,
            states * self.selection,
            states * self.selection,
            1 * (self.membrane and self.dense),
            1 * both,
            states * both,
            states * both,
        ]

    def keyless(self) -> tuple[bool, bool, bool]:
        """Whether those of A_log on h, of A_log on V and of D on V are kept."""
        both = self.selection and self.membrane
        return self.selection, both, both


class Rows(NamedTuple):
    """The families of the stacked influence, as views."""

    h_W: Tensor
    h_delta: Tensor
    h_B: Tensor
    v_W: Tensor
    v_delta: Tensor
    v_B: Tensor
    v_C: Tensor


def places(mask: Bool[Tensor, "neuron input"]) -> Int[Tensor, " synapse"]:
    """Where the synapses of a mask lie, as `Influence` names them."""
    return mask.T.flatten().nonzero()[:, 0]


def rows(stacked: Tensor, states: int, families: Families) -> Rows:
    """Views of the families of a stacked tensor, whose axis 1 has the rows."""
    return Rows(*stacked.split(families.sizes(states), dim=1))


class Influence(NamedTuple):
    """∂(h, V)/∂θ at the end of a chunk, N neurons, S states, M inputs.

    What is not kept has no rows, or no neurons where it has but one row.

    Attributes:
        keyed: The stacked rows, the last key being the bias.
        sparse: E of W, then G of W, of some synapses; none where W is in the stacked rows.
        place: Which synapses these are, in rising order: N times the input, and the neuron.
        A_log_h: Influence of A_log on h.
        A_log_v: Influence of A_log on V.
        D_v: Influence of D on V.
    """

    keyed: Float[Tensor, "batch row key neuron"]
    sparse: Float[Tensor, "batch row synapse"]
    place: Int[Tensor, " synapse"]
    A_log_h: Float[Tensor, "batch state neuron"]
    A_log_v: Float[Tensor, "batch state neuron"]
    D_v: Float[Tensor, "batch neuron"]

    @classmethod
    def zeros(
        cls,
        batch: int,
        theta: BlockParameters,
        families: Families,
        place: Tensor | None = None,
    ) -> Influence:
        """No influence yet, for a block's parameters; `place` where W is not dense."""
        (neurons, states), inputs, like = theta.A_log.shape, theta.W.shape[1], theta.W
        if place is None:
            place = torch.empty(0, dtype=torch.int64, device=like.device)
        of_h, of_v, of_D = families.keyless()
        return cls(
            like.new_zeros(batch, sum(families.sizes(states)), inputs + 1, neurons),
            like.new_zeros(batch, states + families.membrane, len(place)),
            place,
            like.new_zeros(batch, states * of_h, neurons),
            like.new_zeros(batch, states * of_v, neurons),
            like.new_zeros(batch, neurons * of_D),
        )

    def kept_as(
        self, theta: BlockParameters, old: Families, new: Families, place: Tensor | None
    ) -> Influence:
        """The same in other families, or of other synapses; those that come new start at zero."""
        states, after = theta.A_log.shape[1], Influence.zeros(len(self.keyed), theta, new, place)
        of_old, of_new = rows(self.keyed, states, old), rows(after.keyed, states, new)
        for was, now in zip(of_old, of_new, strict=True):
            if was.shape == now.shape:
                now.copy_(was)
        if not old.dense or not new.dense:
            pairs = (self.of_synapses(of_old, states), after.of_synapses(of_new, states))
            for was, now in zip(*pairs, strict=True):
                if was.shape[1] == now.shape[1]:
                    _copy_columns(was, self.place, now, after.place)
        keyless = zip(self[3:], after[3:], old.keyless(), new.keyless(), strict=True)
        for was, now, before, behind in keyless:
            if before and behind:
                now.copy_(was)
        return after

    def has(self, place: Tensor | None) -> bool:
        """Whether W has columns of these synapses; None: of none, it is dense."""
        own = self.place
        return not len(own) if place is None else place is own or torch.equal(place, own)

    def of_synapses(self, stacked: Rows, states: int) -> tuple[Tensor, Tensor]:
        """E and G of W (b, row, synapse): of those named, or of all, in the order of `place`."""
        if stacked.h_W.shape[1]:
            return stacked.h_W.flatten(2), stacked.v_W.flatten(2)
        return self.sparse[:, :states], self.sparse[:, states:]


def _copy_columns(was: Tensor, place_was: Tensor, now: Tensor, place: Tensor) -> None:
    """Copy the columns of the same synapses; those that no place is told of are of all."""
    if was.shape[2] > len(place_was):
        now.copy_(was[..., place])
    elif now.shape[2] > len(place):
        now.index_copy_(2, place_was, was)
    elif len(place_was):
        at = torch.searchsorted(place_was, place).clamp_(max=len(place_was) - 1)
        now.copy_(was[..., at] * (place_was[at] == place))


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
