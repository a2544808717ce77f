"""Send on delta: a spike whenever the signal has moved by a threshold since the last one.

    ON  at t    x_t − r_{t−1} ≥ θ       r_t = r_{t−1} + θ
    OFF at t    r_{t−1} − x_t ≥ θ       r_t = r_{t−1} − θ
    else        r_t = r_{t−1}, with r_{−1} = 0

Glossary
    x = the signal times `encoder_gain`, r = what the spikes so far add up to
    θ = `encoder_threshold`

A steady signal is silent; ON minus OFF spikes, summed and times θ, follow it at θ a step at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np

from bim_explorer.tasks.encoders.signal import typical_signal


class SendOnDelta:
    """One ON and one OFF neuron a channel, at 2c and 2c + 1.

    Args:
        channels: Signal channels.
        values: Flat values; `encoder_threshold` and `encoder_gain` are read.
        rng: Unused: nothing here is drawn.
    """

    def __init__(
        self, channels: int, values: Mapping[str, Any], rng: np.random.Generator | None = None
    ) -> None:
        self._theta = np.float32(values["encoder_threshold"])
        self._gain = float(values["encoder_gain"])
        self.size = 2 * channels
        self.rate = max(float(self.encode(typical_signal()).mean()), 1e-3)

    def encode(self, signal: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Spikes uint8 (T, 2 channels) of a signal (T, channels)."""
        scaled = np.ascontiguousarray(signal, np.float32) * np.float32(self._gain)
        spikes = np.zeros((len(scaled), 2 * scaled.shape[1]), np.uint8)
        _send(scaled, self._theta, spikes)
        return spikes


@numba.njit(cache=True, nogil=True)
def _send(x: np.ndarray, theta: np.floating[Any], spikes: np.ndarray) -> None:
    sent = np.zeros(x.shape[1], x.dtype)
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            moved = x[t, c] - sent[c]
            if moved >= theta:
                sent[c] += theta
                spikes[t, 2 * c] = 1
            elif moved <= -theta:
                sent[c] -= theta
                spikes[t, 2 * c + 1] = 1
