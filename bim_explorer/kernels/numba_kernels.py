"""The CPU backend: kernels compiled by numba, no compiler needed on the user's machine.

Here torch's tensors meet the compiled loops of `numba_dendrite`, `numba_influence` and
`numba_pairs`. Streams are shared out among torch's threads; sums over streams are taken for each
thread by itself and then joined, so a result depends on the number of threads, never on chance.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bim_explorer.functional.adjoint import BlockTrace, DendriteGradient
from bim_explorer.functional.rtrl import BorderSums, Families, Influence
from bim_explorer.functional.selective_ssm import (
    BlockParameters,
    Dendrite,
    Selection,
    by_projection,
    projections,
)
from bim_explorer.functional.soma import SomaTrace
from bim_explorer.functional.stdp import StdpTraces, Window
from bim_explorer.functional.traces import Presynaptic
from bim_explorer.kernels import numba_dendrite, numba_influence, numba_pairs
from bim_explorer.kernels.numba_math import arrays, over_parts, over_streams, stream_spans

name = "numba"


def trace(spikes: Tensor, keep: Tensor, initial: Tensor, decay: float) -> Tensor:
    """x_t = decay keep_t x_{t-1} + s_t; see `functional.scans.Kernels.trace`."""
    x = spikes.new_empty(spikes.shape)
    s, k, x_0, out = arrays(spikes, keep, initial, x)
    over_streams(numba_pairs.trace, len(s), s, k, x_0, s.dtype.type(decay), out)
    return x


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> SomaTrace:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    soma = SomaTrace(*(y.new_empty(y.shape) for _ in SomaTrace._fields))
    y_, k, before, *written = arrays(y, keep, v_0, *soma)
    constants = (y_.dtype.type(x) for x in (decay, gain, v_th))
    over_streams(numba_dendrite.membrane, len(y_), y_, k, before, *constants, *written)
    return soma


def soma_adjoint(
    soma: SomaTrace, gain: float | Tensor, d_y: Tensor, d_z: Tensor
) -> tuple[Tensor, Tensor]:
    """All that reaches y and V before; see `functional.scans.Kernels.soma_adjoint`."""
    reaches, start = d_y.new_empty(d_y.shape), d_y.new_empty(len(d_y), d_y.shape[2])
    taken = arrays(soma.psi, soma.slope, _each(gain, start), d_y, d_z, reaches, start)
    over_streams(numba_dendrite.soma_adjoint, len(d_y), *taken)
    return reaches, start


def dendrite(pre: Presynaptic, theta: BlockParameters, h_0: Tensor) -> tuple[Selection, Dendrite]:
    """From spikes to y over a chunk; see `functional.scans.Kernels.dendrite`."""
    (batch, steps, _), (neurons, states) = pre.spikes.shape, theta.A_log.shape
    room, over_time = h_0.new_empty, (batch, steps)
    wide, narrow, whole = (*over_time, neurons), (*over_time, states), (*over_time, states, neurons)
    selection = Selection(*(room(shape) for shape in (wide, wide, wide, narrow, narrow)))
    A, decay, h, y = -torch.exp(theta.A_log.T).contiguous(), room(whole), room(whole), room(wide)
    after = torch.empty_like(pre.before)
    bias = torch.cat([theta.b_delta.new_zeros(neurons), theta.b_delta, theta.b_B, theta.b_C])
    taken = arrays(projections(theta).T, bias, A, theta.D, h_0, after, *selection, decay, h, y)
    over_streams(numba_dendrite.forward, batch, *_arriving(pre), *taken)
    return selection, Dendrite(A, decay, h, h_0, y, after)


def dendrite_adjoint(
    d_y: Tensor,
    pre: Presynaptic,
    selection: Selection,
    dendrite: Dendrite,
    theta: BlockParameters,
    below: bool,
) -> DendriteGradient:
    """Reverse mode through it; see `functional.scans.Kernels.dendrite_adjoint`."""
    (batch, steps, inputs), A, h_0 = pre.spikes.shape, dendrite.A, dendrite.h_0
    parts, width = len(stream_spans(batch)), 2 * (len(theta.D) + len(A))
    back = d_y.new_empty(batch, steps, width) if below else d_y.new_empty(0, 0, 0)
    sums, d_h0 = d_y.new_zeros(parts, inputs + 1, width), torch.zeros_like(h_0)
    d_A, d_D = A.new_zeros(parts, *A.shape), A.new_zeros(parts, A.shape[1])
    past = arrays(A, theta.D, h_0, *selection, dendrite.decay, dendrite.h)
    written = arrays(back, sums, d_A, d_D, d_h0)
    over_parts(numba_dendrite.adjoint, batch, *arrays(d_y), *_arriving(pre), *past, below, *written)
    sums, d_A_log = _joined(sums), (_joined(d_A) * A).T
    gradient = by_projection(sums[:-1].T.contiguous(), sums[-1], d_A_log, _joined(d_D))
    d_spikes = back @ projections(theta) if below else None
    return DendriteGradient(gradient, d_spikes, d_h0)


def _arriving(pre: Presynaptic) -> list[Any]:
    """Its fields, as the compiled loops take them."""
    spikes, before, keep = arrays(pre.spikes, pre.before, pre.keep)
    number = spikes.dtype.type
    return [spikes, before, keep, number(pre.decay), number(pre.scale)]


def carry(
    influence: Influence,
    trace: BlockTrace,
    D: Tensor,
    gain: float | Tensor,
    families: Families,
    border: tuple[Tensor, Tensor] | None,
) -> tuple[Influence, BlockParameters | None]:
    """E and G over a chunk, spike by spike; see `functional.scans.Kernels.carry`."""
    s, past, pre = trace.selection, trace.dendrite, trace.pre
    influence = Influence(*(tensor.contiguous() for tensor in influence))
    (batch, _, n_keys, _), states = influence.keyed.shape, len(past.A)
    keyed, shared = (n_keys, *D.shape), (states, n_keys)
    shapes = (keyed, keyed, shared, shared, past.A.shape, D.shape)
    parts = len(stream_spans(batch))
    sums = BorderSums(*(D.new_zeros(parts, *shape) for shape in shapes))
    flow = (past.decay, past.h, past.h_0, s.u, s.delta, s.gate, s.B, s.C, trace.soma.slope)
    taken = arrays(*influence, *flow, past.A, D, _each(gain, D))
    over_parts(
        numba_influence.carry,
        batch,
        *taken,
        *_arriving(pre),
        *families,
        border is not None,
        *arrays(*(border or (past.h_0, trace.soma.slope[:, 0])), *sums),
    )
    if border is None:
        return influence, None
    return influence, BorderSums(*(_joined(total) for total in sums)).by_parameter()


def stdp(
    pre: Tensor, post: Tensor, keep: Tensor, traces: StdpTraces, window: Window
) -> tuple[Tensor, StdpTraces]:
    """Ω of the chunk, spike by spike; see `functional.stdp`."""
    (batch, steps, inputs), neurons = pre.shape, post.shape[2]
    after = StdpTraces(*(x.clone(memory_format=torch.contiguous_format) for x in traces))
    parts = len(stream_spans(batch))
    omega = pre.new_empty(parts, neurons, inputs)
    before, behind, kept, x, y, into = arrays(pre, post, keep, *after, omega)
    number = into.dtype.type
    room = numba_pairs.Scratch.empty(parts, batch, steps, inputs, neurons, number)
    decays = (number(x) for x in (window.decay_plus, window.decay_minus))
    weights = (number(a / batch) for a in (window.a_plus, window.a_minus))
    over_parts(numba_pairs.stdp, batch, before, behind, kept, *decays, *weights, room, x, y, into)
    return _joined(omega), after


def _each(gain: float | Tensor, like: Tensor) -> Tensor:
    """A neuron's constant, for each of them."""
    return gain if isinstance(gain, Tensor) else like.new_full(like.shape[-1:], gain)


def _joined(parts: Tensor) -> Tensor:
    """The sum over the parts of the streams."""
    return parts[0] if len(parts) == 1 else parts.sum(0)
