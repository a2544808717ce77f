"""Poisson rate: the signal's positive and negative parts are the intensities of chance spikes.

    P(spike at t) = 1 − exp(−g max(±x_t, 0))        g = `encoder_gain`

Each channel has `encoder_levels` independent ON neurons and as many OFF neurons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bim_explorer.tasks.encoders.signal import polarities, typical_signal


class Poisson:
    """`encoder_levels` ON and OFF pairs a channel.

    Args:
        channels: Signal channels.
        values: Flat values; `encoder_gain` and `encoder_levels` are read.
        rng: Unused here: spikes are drawn from the generator that `encode` is given.
    """

    def __init__(
        self, channels: int, values: Mapping[str, Any], rng: np.random.Generator | None = None
    ) -> None:
        self._gain = float(values["encoder_gain"])
        self._copies = int(values["encoder_levels"])
        self.size = 2 * self._copies * channels
        self.rate = max(float(self._chance(typical_signal()).mean()), 1e-3)

    def encode(self, signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Spikes uint8 (T, 2 × levels × channels) of a signal (T, channels), drawn from `rng`."""
        chance = np.repeat(self._chance(signal), self._copies, axis=1)
        return (rng.random(chance.shape, np.float32) < chance).astype(np.uint8)

    def _chance(self, signal: np.ndarray) -> np.ndarray:
        return -np.expm1(-self._gain * polarities(np.asarray(signal, np.float32)))
