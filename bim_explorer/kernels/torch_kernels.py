"""The reference backend: plain torch, a loop over the steps of a chunk, any device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.adjoint import BlockGradient, BlockTrace
from bim_explorer.functional.readout import judge
from bim_explorer.functional.rtrl import BorderSums, Families, Influence, rows
from bim_explorer.functional.selective_ssm import (
    BlockParameters,
    Dendrite,
    Flow,
    Selection,
    by_projection,
    discretise,
    output,
    projections,
    select,
    state_input,
)
from bim_explorer.functional.soma import SomaTrace
from bim_explorer.functional.stdp import stdp_term, stdp_traces
from bim_explorer.functional.surrogate import spike, surrogate_derivative
from bim_explorer.functional.traces import Presynaptic, potentials, trace, trace_adjoint

__all__ = ["judge", "stdp_traces"]

name = "torch"
stdp = stdp_term


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> SomaTrace:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    v = torch.empty_like(y)
    before = v_0
    for t in range(y.shape[1]):
        left = decay * before - v_th * spike(before - v_th)
        before = torch.addcmul(gain * y[:, t], keep[:, t, None], left)
        v[:, t] = before
    return soma_trace(v, v_0, keep, decay, v_th)


def soma_trace(v: Tensor, v_0: Tensor, keep: Tensor, decay: float, v_th: float) -> SomaTrace:
    """Spikes and slopes of the leaky membrane, from its potentials."""
    psi = surrogate_derivative(torch.cat([v_0[:, None], v], dim=1) - v_th)
    slope = keep[..., None] * (decay - v_th * psi[:, :-1])
    return SomaTrace(v, spike(v - v_th), psi[:, 1:], slope, v[:, -1].clone())


def scan_adjoint(decay: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """λ_t = source_t + decay_{t+1} λ_{t+1} from the end, and decay_1 λ_1."""
    adjoint = torch.empty_like(source)
    behind = torch.zeros_like(source[:, 0])
    for t in reversed(range(source.shape[1])):
        at = source[:, t] + behind
        adjoint[:, t] = at
        behind = decay[:, t] * at
    return adjoint, behind


def decay_to_end(decay: Tensor) -> tuple[Tensor, Tensor]:
    """Π_{m>k} decay_m, and that of all."""
    products = torch.empty_like(decay)
    product = torch.ones_like(decay[:, 0])
    for t in reversed(range(decay.shape[1])):
        products[:, t] = product
        product = product * decay[:, t]
    return products, product


def state_space(
    selection: Selection, A_log: Tensor, D: Tensor, keep: Tensor, h_0: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A, keep a, h and y over a chunk; see `functional.selective_ssm`."""
    decay = discretise(selection.delta, A_log) * keep[..., None, None]
    source = state_input(selection)
    h = torch.empty_like(source)
    before = h_0
    for t in range(source.shape[1]):
        before = torch.addcmul(source[:, t], decay[:, t], before)
        h[:, t] = before
    return -torch.exp(A_log.T), decay, h, output(h, selection, D)


def dendrite_by_product(
    trace: Callable[..., Tensor],
    state_space: Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]],
    pre: Presynaptic,
    theta: BlockParameters,
    h_0: Tensor,
) -> Dendrite:
    """`functional.scans.Kernels.dendrite` with potentials as numbers, by a backend's own scans."""
    psp, after = potentials(pre, trace)
    selection = select(psp, theta)
    A, decay, h, y = state_space(selection, theta.A_log, theta.D, pre.keep, h_0)
    flow = Flow(psp, selection, A, decay, h, h_0)
    return Dendrite(y, h[:, -1].clone(), after, flow)


dendrite = partial(dendrite_by_product, trace, state_space)


class StateSpaceGradient(NamedTuple):
    """Reverse mode through the state space; `A_log` and `D` are summed over streams and steps.

    `selected` is δ of what the potentials select, side by side: of u, W_Δ p + b_Δ, B and C.
    """

    selected: Float[Tensor, "batch time 2*neuron+2*state"]
    A_log: Float[Tensor, "neuron state"]
    D: Float[Tensor, " neuron"]
    h_0: Float[Tensor, "batch state neuron"]


def state_space_adjoint(d_y: Tensor, flow: Flow, D: Tensor) -> StateSpaceGradient:
    """Reverse mode through the state space; see `functional.adjoint`."""
    s, A = flow.selection, flow.A
    d_h, d_h0 = scan_adjoint(flow.decay, d_y[..., None, :] * s.C[..., None])
    d_drive = (d_h * s.B[..., None]).sum(-2)
    d_log_decay = d_h * flow.decay * flow.h_tm1
    selected = [
        D * d_y + s.delta * d_drive,
        ((d_log_decay * A).sum(-2) + s.u * d_drive) * s.gate,
        (d_h * (s.delta * s.u)[..., None, :]).sum(-1),
        (flow.h * d_y[..., None, :]).sum(-1),
    ]
    return StateSpaceGradient(
        selected=torch.cat(selected, dim=-1),
        A_log=((d_log_decay * s.delta[..., None, :]).sum((0, 1)) * A).T,
        D=(s.u * d_y).sum((0, 1)),
        h_0=d_h0,
    )


class Transport(NamedTuple):
    """How a chunk carries influences from its start to its end.

    Attributes:
        decay: dec_0.
        slope: w_0.
        cross: c_0.
        A_log_h: Σ_k dec_k ⊙ g_k of A_log.
        A_log_v: Σ_k c_k ⊙ g_k of A_log.
        D_v: Σ_k w_k (1-ρ) R_m u_k.
    """

    decay: Float[Tensor, "batch state neuron"]
    slope: Float[Tensor, "batch neuron"]
    cross: Float[Tensor, "batch state neuron"]
    A_log_h: Float[Tensor, "batch state neuron"]
    A_log_v: Float[Tensor, "batch state neuron"]
    D_v: Float[Tensor, "batch neuron"]


def transport(
    flow: Flow, D: Tensor, w: tuple[Tensor, Tensor], w_gain: Tensor, families: Families
) -> tuple[Transport, Tensor]:
    """Decays, adjoints and every step's left factor (b, row, t, n); see `functional.rtrl`."""
    s, A, across = flow.selection, flow.A, w_gain[..., None, :] * families.membrane
    dec, dec_0 = decay_to_end(flow.decay)
    c, c_0 = scan_adjoint(flow.decay, across * s.C[..., None])
    d_log_decay = flow.decay * flow.h_tm1 * A
    u, delta, gate = (x[..., None, :] for x in (s.u, s.delta, s.gate))
    B = s.B[..., None]
    g_W, g_delta = delta * B, (d_log_decay + u * B) * gate
    g_B, g_A_log = (delta * u).expand_as(dec), d_log_decay * delta
    drive = [dec * g_W]
    if families.selection:
        drive += [dec * g_delta, dec * g_B]
    if families.membrane:
        drive += [(c * g_W).sum(2, keepdim=True) + across * D]
    if families.membrane and families.selection:
        drive += [(c * g_delta).sum(2, keepdim=True), c * g_B, across * flow.h]
    move = Transport(
        dec_0,
        w[1],
        c_0,
        A_log_h=(dec * g_A_log).sum(1),
        A_log_v=(c * g_A_log).sum(1),
        D_v=(across[..., 0, :] * s.u).sum(1),
    )
    return move, torch.cat(drive, dim=2).transpose(1, 2).contiguous()


def carry_by_product(
    to_end: Callable[[Tensor], tuple[Tensor, Tensor]],
    transport: Callable[..., tuple[Transport, Tensor]],
    influence: Influence,
    trace: BlockTrace,
    D: Tensor,
    gain: float | Tensor,
    families: Families,
) -> Influence:
    """`functional.scans.Kernels.carry` as a matrix product, by a backend's own two scans."""
    w, flow = to_end(trace.soma.slope), trace.dendrite.flow
    move, drive = transport(flow, D, w, gain * w[0], families._replace(dense=True))
    key = torch.cat([flow.psp, flow.psp.new_ones(*flow.psp.shape[:-1], 1)], dim=-1)
    gained = key.transpose(1, 2)[:, None] @ drive
    if families.dense:
        _advance(influence.keyed, move, gained, families)
    else:
        _advance_apart(influence, move, gained, families)
    A_log_h, A_log_v, D_v = influence[3:]
    of_h, of_v, of_D = families.keyless()
    if of_v:
        A_log_v = move.slope[:, None] * A_log_v + move.cross * A_log_h + move.A_log_v
    if of_h:
        A_log_h = move.decay * A_log_h + move.A_log_h
    if of_D:
        D_v = move.slope * D_v + move.D_v
    return influence._replace(A_log_h=A_log_h, A_log_v=A_log_v, D_v=D_v)


carry = partial(carry_by_product, decay_to_end, transport)


def adjoint_by_product(
    scan_adjoint: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    trace_adjoint: Callable[[Tensor, Tensor, float], Tensor],
    state_space_adjoint: Callable[[Tensor, Flow, Tensor], StateSpaceGradient],
    carry: Callable[..., Influence],
    trace: BlockTrace,
    d_y: Tensor,
    d_z: Tensor | None,
    theta: BlockParameters,
    gain: float | Tensor,
    below: bool,
    carried: tuple[Influence, Families] | None = None,
) -> BlockGradient:
    """`functional.scans.Kernels.adjoint` as products, by a backend's own scans."""
    pre, flow, soma = trace.pre, trace.dendrite.flow, trace.soma
    d_v0 = torch.zeros_like(soma.v_after)
    if d_z is not None:
        d_v, d_v0 = scan_adjoint(soma.slope, soma.psi * d_z)
        d_y = d_y + gain * d_v
    d = state_space_adjoint(d_y, flow, theta.D)
    selected = d.selected.flatten(0, 1)
    of_weights = selected.T @ flow.psp.flatten(0, 1)
    gradient = by_projection(of_weights, selected.sum(0), d.A_log, d.D)
    d_spikes = None
    if below:
        d_spikes = (selected @ projections(theta)).view_as(flow.psp) * pre.scale
        for _ in pre.before:
            d_spikes = trace_adjoint(d_spikes, pre.keep, pre.decay)
    if carried is None:
        return BlockGradient(gradient, d_spikes)
    influence, families = carried
    owed = _border_sums(influence, families, d.h_0, d_v0).by_parameter()
    whole = BlockParameters(*(a + b for a, b in zip(gradient, owed, strict=True)))
    return BlockGradient(whole, d_spikes, carry(influence, trace, theta.D, gain, families))


adjoint = partial(adjoint_by_product, scan_adjoint, trace_adjoint, state_space_adjoint, carry)


def _advance(keyed: Tensor, move: Transport, gained: Tensor, families: Families) -> None:
    """E and G over a chunk, in which they gain the product of keys and left factors."""
    states = move.cross.shape[1]
    row, cross, slope = rows(keyed, states, families), move.cross[:, :, None], move.slope
    for family in (row.v_W, row.v_delta, row.v_B, row.v_C):
        family.mul_(slope[:, None, None])
    if families.membrane and families.dense:
        row.v_W.add_((cross * row.h_W).sum(1, keepdim=True))
    if families.membrane and families.selection:
        row.v_delta.add_((cross * row.h_delta).sum(1, keepdim=True))
        row.v_B.addcmul_(cross, row.h_B)
    for family in (row.h_W, row.h_delta, row.h_B):
        if family.shape[1]:
            family.mul_(move.decay[:, :, None])
    keyed.add_(gained)


def _advance_apart(
    influence: Influence, move: Transport, gained: Tensor, families: Families
) -> None:
    """The same where W has columns of some synapses."""
    states, place = move.cross.shape[1], influence.place
    of_W, *rest = rows(gained, states, families._replace(dense=True))
    of_V = rest.pop(2)
    _advance(influence.keyed, move, torch.cat(rest, dim=1), families)
    E, G = influence.sparse[:, :states], influence.sparse[:, states:]
    neuron = place % move.slope.shape[1]
    G.mul_(move.slope[:, None, neuron])
    if families.membrane:
        G.add_((move.cross[..., neuron] * E).sum(1, keepdim=True))
    E.mul_(move.decay[..., neuron])
    influence.sparse.add_(torch.cat([of_W, of_V], dim=1).flatten(2)[..., place])


def _border_sums(
    influence: Influence, families: Families, d_h0: Tensor, d_v0: Tensor
) -> BorderSums:
    keyed, states = influence.keyed, d_h0.shape[1]
    row = rows(keyed, states, families)

    def through_h(family: Tensor) -> Tensor:
        return torch.einsum("bsi,bsji->ji", d_h0[:, : family.shape[1]], family)

    def through_v(family: Tensor) -> Tensor:
        return torch.einsum("bi,bsji->ji", d_v0, family)

    of_W = through_h(row.h_W) + through_v(row.v_W)
    of_B, of_C = (keyed.new_zeros(states, keyed.shape[2]) for _ in range(2))
    of_A_log, of_D = torch.zeros_like(d_h0[0]), torch.zeros_like(d_v0[0])
    if not families.dense:
        E, G = influence.of_synapses(row, states)
        neuron = influence.place % len(of_D)
        owed = (d_h0[..., neuron] * E).sum((0, 1)) + (d_v0[:, None, neuron] * G).sum((0, 1))
        of_W = of_W.flatten().index_copy(0, influence.place, owed).view_as(of_W)
    if families.selection:
        of_B += torch.einsum("bni,bnji->nj", d_h0, row.h_B)
        of_A_log += (d_h0 * influence.A_log_h).sum(0)
    if families.selection and families.membrane:
        of_B += torch.einsum("bi,bnji->nj", d_v0, row.v_B)
        of_C += torch.einsum("bi,bnji->nj", d_v0, row.v_C)
        of_A_log += (d_v0[:, None] * influence.A_log_v).sum(0)
        of_D += (d_v0 * influence.D_v).sum(0)
    return BorderSums(
        W=of_W,
        delta=through_h(row.h_delta) + through_v(row.v_delta),
        B=of_B,
        C=of_C,
        A_log=of_A_log,
        D=of_D,
    )
