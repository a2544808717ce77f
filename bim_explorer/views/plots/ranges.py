"""Calm axis bounds: an axis grows at once when data leave it, and shrinks slowly."""

from __future__ import annotations

import math

import numpy as np

_STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
#: A bound is too wide when the data need less than this share of it …
_LOOSE = 0.6
#: … in so many fits on end, each counted as often as the bound is too wide; a fit is a tick.
_PATIENCE = 80.0


def nice_above(value: float) -> float:
    """The next round number that is not below `value` > 0: 1, 1.25, 1.5, 2 … times 10^n."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - 1e-12))


def robust_high(values: np.ndarray, share: float = 0.995) -> float:
    """A level that all but a few outliers stay below; the newest values always count."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0
    return float(max(np.quantile(finite, share), finite[-10:].max()))


class CalmBound:
    """The distance of one end of an axis from zero.

    Args:
        least: It never gets nearer than this.
        patience: How much too wide, summed over fits in a row, it may be before it shrinks.
    """

    def __init__(self, least: float, patience: float = _PATIENCE) -> None:
        self.least = least
        self.value = least
        self._patience = patience
        self._loose = 0.0

    def fit(self, needed: float) -> float:
        """The bound for data that reach `needed`; what is not finite or ≤ 0 asks for nothing."""
        if not math.isfinite(needed) or needed <= self.least:
            wanted = self.least
        else:
            wanted = nice_above(needed)
        if wanted > self.value:
            self.value, self._loose = wanted, 0.0
        elif wanted < _LOOSE * self.value:
            self._loose += min(self.value / wanted, 10.0)
            if self._loose >= self._patience:
                half_way = nice_above(math.sqrt(wanted * self.value))
                self.value, self._loose = min(max(wanted, half_way), self.value), 0.0
        else:
            self._loose = 0.0
        return self.value
