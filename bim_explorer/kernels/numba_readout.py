"""The loss of a readout and its slope, each number touched while it is in the first cache."""

from __future__ import annotations

import numpy as np

from bim_explorer.kernels.numba_math import exp_lane, jit_views


@jit_views
def cross_entropy(first, last, logits, target, mask, share, loss, d_logits, beyond):
    """-log softmax(logits)[target], and (softmax(logits) - onehot(target)) share, where `mask`.

    Logits of other steps are not looked at; `beyond` is set if a target is not among the classes.
    """
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
            # exp_lane does not promise to keep NaN; row[c] * 0 does.
            total = logits.dtype.type(0.0)
            for c in range(classes):
                total += d[c] + row[c] * 0
            chosen = max(target[b, t], 0)
            if chosen >= classes:
                beyond[0] = True
                continue
            loss[b, t] = np.log(total) + most - row[chosen]
            by = share / total
            for c in range(classes):
                d[c] *= by
            d[chosen] -= share
