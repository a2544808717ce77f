"""Level crossing: each level has a neuron for rising through it and one for falling through it.

    UP   of level l at t    x_{t−1} < l ≤ x_t
    DOWN of level l at t    x_t < l ≤ x_{t−1}        x_{−1} = 0

The `encoder_levels` levels lie `encoder_threshold` apart, evenly about 0. Unlike send on delta,
the neuron that spikes says where the signal is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bim_explorer.tasks.encoders.signal import typical_signal


class LevelCrossing:
    """2 × `encoder_levels` neurons a channel: UP of every level from below, then DOWN.

    Args:
        channels: Signal channels.
        values: Flat values; `encoder_threshold`, `encoder_gain`, `encoder_levels` are read.
        rng: Unused: nothing here is drawn.
    """

    def __init__(
        self, channels: int, values: Mapping[str, Any], rng: np.random.Generator | None = None
    ) -> None:
        count = int(values["encoder_levels"])
        places = np.arange(count) - (count - 1) / 2
        self.levels = (places * float(values["encoder_threshold"])).astype(np.float32)
        self._gain = np.float32(values["encoder_gain"])
        self.size = 2 * count * channels
        self.rate = max(float(self.encode(typical_signal()).mean()), 1e-3)

    def encode(self, signal: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Spikes uint8 (T, 2 × levels × channels) of a signal (T, channels)."""
        start = np.zeros((1, signal.shape[1]), np.float32)
        x = np.concatenate([start, np.asarray(signal, np.float32) * self._gain])
        above = x[:, :, None] >= self.levels
        before, now = above[:-1], above[1:]
        spikes = np.concatenate([now & ~before, before & ~now], axis=2)
        return spikes.reshape(len(x) - 1, spikes.shape[1] * spikes.shape[2]).astype(np.uint8)
