"""The CPU backend: kernels compiled by numba, no compiler needed on the user's machine.

Here torch's tensors meet the compiled loops of `numba_dendrite`, `numba_adjoint`, `numba_pairs`
and `numba_readout`. Streams are shared out among torch's threads; sums over streams are taken for
each thread by itself and then joined, so a result depends on the number of threads, never on
chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bim_explorer.functional import readout
from bim_explorer.functional.adjoint import BlockGradient, BlockTrace
from bim_explorer.functional.readout import Judgement, ReadoutParameters, Seen
from bim_explorer.functional.rtrl import Families, Influence
from bim_explorer.functional.selective_ssm import (
    BlockParameters,
    Dendrite,
    by_projection,
    projections,
)
from bim_explorer.functional.soma import SomaTrace
from bim_explorer.functional.stdp import StdpTraces, Window
from bim_explorer.functional.traces import Presynaptic
from bim_explorer.kernels import (
    numba_adjoint,
    numba_currents,
    numba_dendrite,
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


def dendrite(pre: Presynaptic, theta: BlockParameters, h_0: Tensor) -> Dendrite:
    """From spikes to y over a chunk; see `functional.scans.Kernels.dendrite`."""
    batch, steps, _ = pre.spikes.shape
    neurons, states = theta.A_log.shape
    wide, narrow = (batch, steps, neurons), (batch, steps, states)
    whole, parts = (*narrow, neurons), len(stream_spans(batch))
    parameters, (start,) = arrays(*theta), arrays(h_0)
    arriving = _arriving(pre)
    (A,) = rooms(start.dtype, (parts, states, neurons))
    written = rooms(start.dtype, wide, wide, wide, narrow, narrow, whole, whole, wide)
    *selected, decay, h, y = written
    psp_after, h_after = arriving[1].copy(), np.empty_like(start)
    told = (*arriving, *parameters, start, A, psp_after, *written, h_after)
    over_parts(numba_dendrite.forward, batch, *told)
    flow = [decay, h, start, *selected, A[0], parameters[-1], *arriving]
    y, h_after, psp_after = tensors(y, h_after, psp_after)
    return Dendrite(y, h_after, psp_after, flow)


def adjoint(
    trace: BlockTrace,
    d_y: Tensor,
    d_z: Tensor | None,
    theta: BlockParameters,
    gain: float | Tensor,
    below: bool,
    carried: tuple[Influence, Families] | None = None,
) -> BlockGradient:
    """Reverse mode over the chunk, and all before it; see `functional.scans.Kernels.adjoint`."""
    batch, steps, inputs = trace.pre.spikes.shape
    neurons, states = theta.A_log.shape
    parts, width = len(stream_spans(batch)), 2 * (neurons + states)
    psi, slope, of_y = arrays(trace.soma.psi, trace.soma.slope, d_y)
    of_z = of_y if d_z is None else arrays(d_z)[0]
    number = of_y.dtype
    back = np.empty((batch, steps, width) if below else (0, 0, 0), number)
    total = [
        np.zeros((parts, *shape), number)
        for shape in ((inputs + 1, width), (states, neurons), (neurons,))
    ]
    influence, families, kept = None, Families(), _nothing(number)
    if carried is not None:
        influence, families = carried
        influence, kept = _held(influence)
    losses = (psi, slope, _each(gain, of_y), of_y, of_z, d_z is not None)
    told = (*trace.dendrite.flow, *losses, below, back, *total, carried is not None, *kept)
    over_parts(numba_adjoint.adjoint, batch, *told, *families)
    sums, turned, of_D = (_joined(each) for each in total)
    rows, of_A_log = rooms(number, (width, inputs), (neurons, states))
    numba_adjoint.hand_back(sums, turned, rows, of_A_log)
    gradient = BlockParameters(*tensors(*by_projection(rows, sums[-1], of_A_log, of_D)))
    d_spikes = torch.from_numpy(back) @ projections(theta) if below else None
    return BlockGradient(gradient, d_spikes, influence)


def carry(
    influence: Influence, trace: BlockTrace, D: Tensor, gain: float | Tensor, families: Families
) -> Influence:
    """E and G over a chunk, spike by spike; see `functional.scans.Kernels.carry`."""
    influence, kept = _held(influence)
    (slope,) = arrays(trace.soma.slope)
    told = (*trace.dendrite.flow, slope, _each(gain, slope), *kept, *families)
    over_parts(numba_adjoint.carry, len(slope), *told)
    return influence


def _held(influence: Influence) -> tuple[Influence, list[np.ndarray]]:
    """Influences in rows, and the arrays to write over."""
    if not all(tensor.is_contiguous() for tensor in influence):
        influence = Influence(*(tensor.contiguous() for tensor in influence))
    return influence, arrays(*influence)


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
    (_, classes, neurons), labels = parameters.W_y.shape, target.ndim == 3
    if labels or classes * neurons > numba_readout.SMALL:
        own = readout.cross_entropy if labels else _cross_entropy
        return readout.judge(seen, parameters, target, mask, apart, own)
    W_y, W_z, bias, asked, where = arrays(*parameters, target, mask)
    (batch, steps), number = asked.shape, bias.dtype.type
    reads_y, reads_z = (signal is not None for signal in seen[0])
    ys, d_ys = _signals([each.y for each in seen], number)
    zs, d_zs = _signals([each.z for each in seen], number)
    parts, beyond = len(stream_spans(batch)), np.zeros(1, bool)
    sums = [np.zeros((parts, *weights.shape), number) for weights in (W_y, W_z, bias)]
    logits, loss = np.empty((batch, steps, classes), number), np.empty((batch, steps), number)
    told = (ys, zs, reads_y, reads_z, W_y, W_z, bias, apart, asked, where, number(1.0 / batch))
    over_parts(numba_readout.judge, batch, *told, logits, loss, d_ys, d_zs, *sums, beyond)
    _refuse(beyond, asked, classes)
    of_y, of_z, of_b = (_joined(each) for each in sums)
    gradient = {"W_y": _told(of_y, reads_y), "W_z": _told(of_z, reads_z), "b": _told(of_b, True)}
    d_seen = [
        Seen(_told(d_y, reads_y), _told(d_z, reads_z)) for d_y, d_z in zip(d_ys, d_zs, strict=True)
    ]
    given = {name: slope for name, slope in gradient.items() if slope is not None}
    return Judgement(torch.from_numpy(logits), torch.from_numpy(loss), d_seen, given)


def _signals(
    seen: list[Tensor | None], dtype: type
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """What is seen of every block, and room for the slopes; nothing where it is not."""
    given = [signal for signal in seen if signal is not None]
    if not given:
        nothing = (np.empty((0, 0, 0), dtype),) * len(seen)
        return nothing, nothing
    signals = tuple(arrays(*given))
    return signals, tuple([np.empty_like(each) for each in signals])


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
    return _constant(gain, like.shape[-1], like.dtype)


@lru_cache
def _constant(value: float, n: int, dtype: np.dtype) -> np.ndarray:
    return np.full(n, value, dtype)


@cache
def _nothing(dtype: np.dtype) -> list[np.ndarray]:
    """What stands for influences where none are kept."""
    keyed, sparse, *keyless = rooms(dtype, *[(0,) * axes for axes in (4, 3, 3, 3, 2)])
    return [keyed, sparse, np.empty(0, np.int64), *keyless]


def _joined(parts: np.ndarray) -> Any:
    """The sum over the parts of the streams."""
    return parts[0] if len(parts) == 1 else parts.sum(0)
