"""Latency: in every window each neuron spikes once, the sooner the higher its signal.

    delay = floor(W σ(−g x_s))        x_s = the value at the window's first step s
    spike at s + delay                W = 8 steps, g = `encoder_gain`, σ the logistic function

A value of 0 spikes in the window's middle, large ones at its first step, small ones at its last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

WINDOW = 8


class Latency:
    """One neuron a channel.

    Args:
        channels: Signal channels.
        values: Flat values; `encoder_gain` is read.
        rng: Unused: nothing here is drawn.
    """

    rate = 1 / WINDOW

    def __init__(
        self, channels: int, values: Mapping[str, Any], rng: np.random.Generator | None = None
    ) -> None:
        self._gain = float(values["encoder_gain"])
        self.size = channels

    def encode(self, signal: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Spikes uint8 (T, channels) of a signal (T, channels)."""
        starts = np.arange(0, len(signal), WINDOW)
        x = self._gain * np.asarray(signal, np.float64)[starts]
        low = 0.5 * (1 - np.tanh(x / 2))
        delay = np.minimum((WINDOW * low).astype(np.int64), WINDOW - 1)
        step = starts[:, None] + delay
        window, channel = np.nonzero(step < len(signal))
        spikes = np.zeros((len(signal), self.size), np.uint8)
        spikes[step[window, channel], channel] = 1
        return spikes
