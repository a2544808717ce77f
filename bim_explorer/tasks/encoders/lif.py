"""LIF neurons: the signal is the current into leaky integrate-and-fire neurons, ON and OFF.

    v_t = ρ v_{t−1} + (1 − ρ) R g max(±x_t, 0)        ρ = exp(−dt/τ)
    spike where v_t ≥ θ, then v_t ← v_t − θ

Glossary
    R = 4 membrane resistance, τ = 10 ms, g = `encoder_gain`, θ = `encoder_threshold`, dt = `dt_ms`

With log-mel channels this is the filter bank to LIF of spiking audio front ends. A neuron fires
once a step at the most; what is left above θ stays on its membrane.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numba
import numpy as np

from bim_explorer.tasks.encoders.signal import polarities, typical_signal

RESISTANCE = 4.0
TAU_MS = 10.0


class LeakyNeurons:
    """One ON and one OFF neuron a channel, at 2c and 2c + 1.

    Args:
        channels: Signal channels.
        values: Flat values; `encoder_threshold`, `encoder_gain` and `dt_ms` are read.
        rng: Unused: nothing here is drawn.
    """

    def __init__(
        self, channels: int, values: Mapping[str, Any], rng: np.random.Generator | None = None
    ) -> None:
        self._theta = float(values["encoder_threshold"])
        self._decay = math.exp(-float(values["dt_ms"]) / TAU_MS)
        self._gain = (1 - self._decay) * RESISTANCE * float(values["encoder_gain"])
        self.size = 2 * channels
        self.rate = max(float(self.encode(typical_signal()).mean()), 1e-3)

    def encode(self, signal: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Spikes uint8 (T, 2 channels) of a signal (T, channels)."""
        current = polarities(np.asarray(signal, np.float64)) * self._gain
        spikes = np.zeros(current.shape, np.uint8)
        _fire(current, self._decay, self._theta, spikes)
        return spikes


@numba.njit(cache=True, nogil=True)
def _fire(current: np.ndarray, decay: float, theta: float, spikes: np.ndarray) -> None:
    v = np.zeros(current.shape[1])
    for t in range(current.shape[0]):
        for i in range(current.shape[1]):
            v[i] = decay * v[i] + current[t, i]
            if v[i] >= theta:
                v[i] -= theta
                spikes[t, i] = 1
