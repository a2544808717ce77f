"""The loss of a readout and its slope, each number touched while it is in the first cache."""

from __future__ import annotations

import numpy as np

from bim_explorer.kernels.numba_math import exp_lane, jit_views


@jit_views
def cross_entropy(first, last, logits, target, mask, share, loss, d_logits):
    """-log softmax(logits)[target], and (softmax(logits) - onehot(target)) share, where `mask`."""
    classes = logits.shape[2]
    for b in range(first, last):
        for t in range(logits.shape[1]):
            row, d = logits[b, t], d_logits[b, t]
            loss[b, t] = 0.0
            for c in range(classes):
                d[c] = 0.0
            if not mask[b, t]:
                continue
            most = row[0]
            for c in range(classes):
                most = max(most, row[c])
            for c in range(classes):
                d[c] = exp_lane(row[c] - most)
            # exp_lane knows no NaN: what is not a number stays none by row[c] * 0.
            total = logits.dtype.type(0.0)
            for c in range(classes):
                total += d[c] + row[c] * 0
            chosen = target[b, t]
            loss[b, t] = np.log(total) + most - row[chosen]
            by = share / total
            for c in range(classes):
                d[c] *= by
            d[chosen] -= share
