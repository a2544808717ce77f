"""The readout and its loss, each number touched while it is in the first cache.

The equations are those of `functional.readout`. What one step's loss says is used up at once, so
`judge` is for readouts whose weights are small beside a cache; for wider ones a product over the
chunk is faster, and only the loss is taken here.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread, total
from bim_explorer.kernels.numba_math import exp_lane, jit, jit_inline, jit_views

#: Numbers in the weights of one signal up to which a readout is small: those of both, and their
#: sums, fit a first cache.
SMALL = 2048


@jit_views
def cross_entropy(first_stream, last_stream, logits, target, mask, share, loss, d_logits, beyond):
    """-log softmax(logits)[target], and (softmax(logits) - onehot(target)) share, where `mask`.

    Logits of other steps are not looked at; `beyond` is set if a target is not among the classes.
    """
    for b in range(first_stream, last_stream):
        for t in range(logits.shape[1]):
            loss[b, t] = 0.0
            d_logits[b, t] = 0.0
            if mask[b, t]:
                loss[b, t] = _class_loss(logits[b, t], target[b, t], share, d_logits[b, t], beyond)


@jit_views
def _class_loss(logits, target, share, d_logits, beyond):
    """Of one step."""
    most = logits[0]
    for c in range(logits.size):
        most = max(most, logits[c])
    for c in range(logits.size):
        d_logits[c] = exp_lane(logits[c] - most)
    # exp_lane does not promise to keep NaN; logits[c] * 0 does.
    whole = logits.dtype.type(0.0)
    for c in range(logits.size):
        whole += d_logits[c] + logits[c] * 0
    chosen = max(target, 0)
    if chosen >= logits.size:
        beyond[0] = True
        return whole
    by = share / whole
    for c in range(logits.size):
        d_logits[c] *= by
    d_logits[chosen] -= share
    return np.log(whole) + most - logits[chosen]


@jit
def judge(
    first_stream, last_stream, part, ys, zs, reads_y, reads_z, W_y, W_z, bias, apart,
    target, mask, share, logits, loss, d_ys, d_zs, of_y, of_z, of_b, beyond,
):  # fmt: skip
    """The answer, the loss and all slopes of some streams, `apart` with a loss on each vote.

    ys and zs have an array for each block, which is not looked at where it is not read; `share` is
    what a step's loss counts for. The parameters' slopes are added to of_… (part, …), all else
    is written; `beyond` as in `cross_entropy`.
    """
    blocks, classes = bias.shape
    votes, d = np.empty_like(bias), np.empty_like(bias)
    for b in range(first_stream, last_stream):
        for t in range(mask.shape[1]):
            for block in range(blocks):
                votes[block] = bias[block]
                if reads_y:
                    _vote(votes[block], W_y[block], ys[block][b, t])
                if reads_z:
                    _vote(votes[block], W_z[block], zs[block][b, t])
            asked = mask[b, t]
            loss[b, t] = _step(votes, target[b, t], asked, apart, share, logits[b, t], d, beyond)
            for block in range(blocks):
                if asked:
                    for c in range(classes):
                        of_b[part, block, c] += d[block, c]
                if reads_y:
                    y, d_y = ys[block][b, t], d_ys[block][b, t]
                    _back(d[block], asked, W_y[block], y, d_y, of_y[part, block])
                if reads_z:
                    z, d_z = zs[block][b, t], d_zs[block][b, t]
                    _back(d[block], asked, W_z[block], z, d_z, of_z[part, block])


@jit_inline
def _vote(votes, weights, signal):
    """Votes += W s."""
    rest, last = signal.size % lanes(signal), signal.size - signal.size % lanes(signal)
    for c in range(votes.size):
        row, vote = weights[c], spread(signal.dtype.type(0.0))
        for i in range(0, last, lanes(signal)):
            vote += load(row, i, full(signal)) * load(signal, i, full(signal))
        if rest:
            vote += load(row, last, first(row, rest)) * load(signal, last, first(row, rest))
        votes[c] += total(vote)


@jit_views
def _step(votes, target, asked, apart, share, logits, d, beyond):
    """Logits and loss of a step, and what its loss says of every block's votes."""
    blocks, loss = len(votes), votes.dtype.type(0.0)
    part = votes.dtype.type(1.0 / blocks if apart else 1.0)
    for c in range(logits.size):
        logits[c] = votes[0, c]
    for block in range(1, blocks):
        for c in range(logits.size):
            logits[c] += votes[block, c]
    for c in range(logits.size):
        logits[c] *= part
    if asked and apart:
        for block in range(blocks):
            loss += part * _class_loss(votes[block], target, share, d[block], beyond)
    elif asked:
        loss = _class_loss(logits, target, share, d[0], beyond)
        for block in range(1, blocks):
            for c in range(logits.size):
                d[block, c] = d[0, c]
    return loss


@jit_inline
def _back(d, asked, weights, signal, d_signal, of_weights):
    """∂L/∂s = Σ_c d_c W_c, and ∂L/∂W += d s."""
    rest, last = signal.size % lanes(signal), signal.size - signal.size % lanes(signal)
    for i in range(0, last, lanes(signal)):
        _back_lanes(d, asked, weights, signal, d_signal, of_weights, i, full(signal))
    if rest:
        some = first(signal, rest)
        _back_lanes(d, asked, weights, signal, d_signal, of_weights, last, some)


@jit_inline
def _back_lanes(d, asked, weights, signal, d_signal, of_weights, i, some):
    slope, s = spread(signal.dtype.type(0.0)), load(signal, i, some)
    if asked:
        for c in range(d.size):
            d_c, of_c = spread(d[c]), of_weights[c]
            slope += d_c * load(weights[c], i, some)
            put(of_c, i, some, load(of_c, i, some) + d_c * s)
    put(d_signal, i, some, slope)
