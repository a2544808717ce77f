"""The CPU backend: kernels compiled by numba, no compiler needed on the user's machine.

Here torch's tensors meet the compiled loops of `numba_dendrite`, `numba_influence`, `numba_pairs`
and `numba_readout`. Streams are shared out among torch's threads; sums over streams are taken for
each thread by itself and then joined, so a result depends on the number of threads, never on
chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bim_explorer.functional import readout
from bim_explorer.functional.adjoint import BlockTrace, DendriteGradient
from bim_explorer.functional.readout import Judgement, ReadoutParameters, Seen
from bim_explorer.functional.rtrl import Families, Influence, Past
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
from bim_explorer.kernels import (
    numba_currents,
    numba_dendrite,
    numba_influence,
    numba_pairs,
    numba_readout,
)
from bim_explorer.kernels.numba_math import (
    arrays,
    over_parts,
    over_streams,
    rooms,
    stream_spans,
    tensors,
)

name = "numba"


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> SomaTrace:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    y_, k, before = arrays(y, keep, v_0)
    written = [*(np.empty_like(y_) for _ in range(4)), np.empty_like(before)]
    constants = (y_.dtype.type(x) for x in (decay, gain, v_th))
    over_streams(numba_dendrite.membrane, len(y_), y_, k, before, *constants, *written)
    return SomaTrace(*tensors(*written))


def soma_adjoint(
    soma: SomaTrace, gain: float | Tensor, d_y: Tensor, d_z: Tensor
) -> tuple[Tensor, Tensor]:
    """All that reaches y and V before; see `functional.scans.Kernels.soma_adjoint`."""
    psi, slope, of_y, of_z = arrays(soma.psi, soma.slope, d_y, d_z)
    reaches, start = np.empty_like(of_y), np.empty_like(of_y[:, 0])
    taken = (psi, slope, _each(gain, start), of_y, of_z, reaches, start)
    over_streams(numba_dendrite.soma_adjoint, len(of_y), *taken)
    return torch.from_numpy(reaches), torch.from_numpy(start)


def dendrite(pre: Presynaptic, theta: BlockParameters, h_0: Tensor) -> tuple[Selection, Dendrite]:
    """From spikes to y over a chunk; see `functional.scans.Kernels.dendrite`."""
    (batch, steps, inputs), (neurons, states) = pre.spikes.shape, theta.A_log.shape
    wide, narrow = (batch, steps, neurons), (batch, steps, states)
    whole, width = (*narrow, neurons), 2 * (neurons + states)
    weights, bias, A = rooms(h_0, (inputs, width), (width,), (states, neurons))
    parameters = (*arrays(*theta[:-1]), weights, bias, A)
    numba_dendrite.prepare(*parameters)  # pyright: ignore[reportCallIssue] - as many as it asks for
    written = rooms(h_0, wide, wide, wide, narrow, narrow, whole, whole, wide, h_0.shape)
    arriving, (D, start) = _arriving(pre), arrays(theta.D, h_0)
    after = arriving[1].copy()
    taken = (*arriving, weights, bias, A, D, start, after, *written)
    over_streams(numba_dendrite.forward, batch, *taken)
    *selected, decay, h, _, _ = written
    own = [decay, h, start, *selected, A, D, *arriving]
    A, after, *selected, decay, h, y, h_after = tensors(A, after, *written)
    return Selection(*selected), Dendrite(A, decay, h, h_0, y, h_after, after, own=own)


def dendrite_adjoint(
    d_y: Tensor,
    trace: BlockTrace,
    theta: BlockParameters,
    below: bool,
    past: Past | None = None,
) -> DendriteGradient:
    """Reverse mode through it and all before; see `functional.scans.Kernels.dendrite_adjoint`."""
    batch, steps, inputs = trace.pre.spikes.shape
    states, neurons = trace.dendrite.A.shape
    parts, width = len(stream_spans(batch)), 2 * (neurons + states)
    back, rows, of_A_log = rooms(
        d_y, (batch, steps, width) if below else (0, 0, 0), (width, inputs), (neurons, states)
    )
    shapes = ((inputs + 1, width), (states, neurons), (neurons,))
    total = [np.zeros((parts, *shape), back.dtype) for shape in shapes]
    d_h = np.zeros((batch, states, neurons), back.dtype)
    chunk = _chunk(trace, theta.D)
    over_parts(numba_dendrite.adjoint, batch, *chunk, *arrays(d_y), below, back, *total, d_h)
    influence = None
    if past is not None:
        influence, families, gain, d_v = past
        border = (True, d_h, *arrays(d_v), *total)
        influence = _carried(influence, chunk, trace, gain, families, border)
    sums, turned, of_D = (_joined(each) for each in total)
    numba_dendrite.hand_back(sums, turned, rows, of_A_log)
    gradient = BlockParameters(*tensors(*by_projection(rows, sums[-1], of_A_log, of_D)))
    d_spikes = torch.from_numpy(back) @ projections(theta) if below else None
    return DendriteGradient(gradient, d_spikes, torch.from_numpy(d_h), influence)


def carry(
    influence: Influence, trace: BlockTrace, D: Tensor, gain: float | Tensor, families: Families
) -> Influence:
    """E and G over a chunk, spike by spike; see `functional.scans.Kernels.carry`."""
    nothing = rooms(D, *[(0,) * axes for axes in (3, 2, 3, 3, 2)])
    return _carried(influence, _chunk(trace, D), trace, gain, families, (False, *nothing))


def _carried(
    influence: Influence,
    chunk: list[Any],
    trace: BlockTrace,
    gain: float | Tensor,
    families: Families,
    border: tuple[Any, ...],
) -> Influence:
    """`border` is what reads them: whether it does, δh_0, δV_0, and the sums that it adds to."""
    influence = Influence(*(tensor.contiguous() for tensor in influence))
    kept, (slope,) = arrays(*influence), arrays(trace.soma.slope)
    told = (*kept, *chunk, slope, _each(gain, slope[0, 0]), *families, *border)
    over_parts(numba_influence.carry, len(slope), *told)
    return influence


def _chunk(trace: BlockTrace, D: Tensor) -> list[Any]:
    """What a block did in a chunk, as the compiled loops that look back at it take it."""
    past = trace.dendrite
    if past.own is not None:
        return past.own
    flow = arrays(past.decay, past.h, past.h_0, *trace.selection, past.A, D)
    return [*flow, *_arriving(trace.pre)]


def _arriving(pre: Presynaptic) -> list[Any]:
    """Its fields, as the compiled loops take them."""
    spikes, before, keep = arrays(pre.spikes, pre.before, pre.keep)
    number = spikes.dtype.type
    return [spikes, before, keep, number(pre.decay), number(pre.scale)]


def judge(
    seen: Sequence[Seen],
    parameters: ReadoutParameters,
    target: Tensor,
    mask: Tensor,
    apart: bool,
) -> Judgement:
    """The readout and its loss; see `functional.scans.Kernels.judge`."""
    (blocks, classes, neurons), labels = parameters.W_y.shape, target.ndim == 3
    if labels or classes * neurons > numba_readout.SMALL:
        own = readout.cross_entropy if labels else _cross_entropy
        return readout.judge(seen, parameters, target, mask, apart, own)
    W_y, W_z, bias, asked, where = arrays(*parameters, target, mask)
    (batch, steps), number = asked.shape, bias.dtype.type
    reads_y, reads_z = (signal is not None for signal in seen[0])
    nothing = (np.empty((0, 0, 0), number),) * blocks
    ys = tuple(arrays(*(each.y for each in seen if each.y is not None))) or nothing
    zs = tuple(arrays(*(each.z for each in seen if each.z is not None))) or nothing
    d_ys, d_zs = (tuple(np.empty_like(each) for each in signals) for signals in (ys, zs))
    parts, beyond = len(stream_spans(batch)), np.zeros(1, bool)
    sums = [np.zeros((parts, *weights.shape), number) for weights in (W_y, W_z, bias)]
    logits, loss = np.empty((batch, steps, classes), number), np.empty((batch, steps), number)
    told = (ys, zs, reads_y, reads_z, W_y, W_z, bias, apart, asked, where, number(1.0 / batch))
    over_parts(numba_readout.judge, batch, *told, logits, loss, d_ys, d_zs, *sums, beyond)
    _refuse(beyond, asked, classes)
    slopes = dict(zip(parameters._fields, tensors(*(_joined(each) for each in sums)), strict=True))
    read = {"W_y": reads_y, "W_z": reads_z, "b": True}
    d_seen = [
        Seen(_told(d_y, reads_y), _told(d_z, reads_z)) for d_y, d_z in zip(d_ys, d_zs, strict=True)
    ]
    gradient = {name: slope for name, slope in slopes.items() if read[name]}
    return Judgement(torch.from_numpy(logits), torch.from_numpy(loss), d_seen, gradient)


def _told(slope: np.ndarray, read: bool) -> Tensor | None:
    """The slope by a signal that is read."""
    return torch.from_numpy(slope) if read else None


def _cross_entropy(logits: Tensor, target: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Loss of every step and ∂L/∂logits; see `functional.readout`."""
    answers, asked, where = arrays(logits, target, mask)
    loss, d_logits = np.empty_like(answers[..., 0]), np.empty_like(answers)
    share = answers.dtype.type(1.0 / len(answers))
    beyond = np.zeros(1, bool)
    told = (answers, asked, where, share, loss, d_logits, beyond)
    over_streams(numba_readout.cross_entropy, len(answers), *told)
    _refuse(beyond, asked, answers.shape[2])
    return torch.from_numpy(loss), torch.from_numpy(d_logits)


def _refuse(beyond: np.ndarray, target: np.ndarray, n: int) -> None:
    """Refuse a target that is no class."""
    if beyond[0]:
        raise IndexError(f"a target is class {target.max()}, the readout has {n}: 0 to {n - 1}")


def stdp(
    pre: Tensor, post: Tensor, keep: Tensor, traces: StdpTraces, window: Window
) -> tuple[Tensor, StdpTraces]:
    """Ω of the chunk, spike by spike; see `functional.stdp`."""
    (batch, steps, inputs), neurons = pre.shape, post.shape[2]
    after = StdpTraces(*(x.clone(memory_format=torch.contiguous_format) for x in traces))
    parts = len(stream_spans(batch))
    before, behind, kept, x, y = arrays(pre, post, keep, *after)
    number = before.dtype.type
    into = np.empty((parts, neurons, inputs), number)
    room = numba_pairs.Scratch.empty(parts, batch, steps, inputs, neurons, number)
    decays = (number(x) for x in (window.decay_plus, window.decay_minus))
    weights = (number(a / batch) for a in (window.a_plus, window.a_minus))
    over_parts(numba_pairs.stdp, batch, before, behind, kept, *decays, *weights, room, x, y, into)
    return torch.from_numpy(_joined(into)), after


def stdp_traces(
    pre: Tensor, post: Tensor, keep: Tensor, traces: StdpTraces, window: Window
) -> StdpTraces:
    """Both traces behind a chunk; see `functional.stdp`."""
    before, behind, kept, *held = arrays(pre, post, keep, *traces)
    x, y = (each.copy() for each in held)
    decays = (x.dtype.type(decay) for decay in (window.decay_plus, window.decay_minus))
    over_streams(numba_currents.traces_after, len(x), before, behind, kept, *decays, x, y)
    return StdpTraces(*tensors(x, y))


def _each(gain: float | Tensor, like: np.ndarray) -> np.ndarray:
    """A neuron's constant, for each of them."""
    if isinstance(gain, Tensor):
        return arrays(gain)[0]
    return np.full(like.shape[-1], gain, like.dtype)


def _joined(parts: np.ndarray) -> Any:
    """The sum over the parts of the streams."""
    return parts[0] if len(parts) == 1 else parts.sum(0)
