"""Gaussian receptive fields: each channel's value excites the neurons tuned to values near it.

    a_t[i] = exp(−(x_t − c_i)² / 2σ²)        activation of the neuron with centre c_i
    spike at t    where Σ_{m≤t} a_m[i] + ½ passes a whole number

Centres lie evenly in −2 … 2, σ is their distance; the outermost fields stay at 1 beyond their
centres. Every neuron sums its activation and fires at each whole number, so spikes follow the
activation with the least possible jitter, and nothing is drawn.
Source: Bohte, La Poutré & Kok 2002, for the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bim_explorer.tasks.encoders.signal import typical_signal

_REACH = 2.0


class ReceptiveFields:
    """`encoder_levels` neurons a channel, lowest centre first.

    Args:
        channels: Signal channels.
        values: Flat values; `encoder_gain` and `encoder_levels` are read.
        rng: Unused: nothing here is drawn.
    """

    def __init__(
        self, channels: int, values: Mapping[str, Any], rng: np.random.Generator | None = None
    ) -> None:
        count = int(values["encoder_levels"])
        self.centres = np.linspace(-_REACH, _REACH, count) if count > 1 else np.zeros(1)
        self._width = 2 * _REACH / max(count - 1, 1)
        self._gain = float(values["encoder_gain"])
        self.size = count * channels
        self.rate = max(float(self.encode(typical_signal()).mean()), 1e-3)

    def encode(self, signal: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Spikes uint8 (T, levels × channels) of a signal (T, channels)."""
        x = np.asarray(signal, np.float64) * self._gain
        if len(self.centres) > 1:
            x = np.clip(x, -_REACH, _REACH)
        distance = (x[:, :, None] - self.centres) / self._width
        total = np.cumsum(np.exp(-0.5 * distance**2), axis=0) + 0.5
        fired = np.diff(np.floor(total), axis=0, prepend=0.0)
        return fired.reshape(len(x), fired.shape[1] * fired.shape[2]).astype(np.uint8)
