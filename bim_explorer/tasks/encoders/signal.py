"""What the signal encoders share: polarities, and rates expected of a standard normal signal."""

from __future__ import annotations

import numpy as np

#: Steps of the typical signal whose rate is measured, and its smoothness: how much of a value
#: is the one before.
_STEPS, _SMOOTHNESS = 4096, 0.9


def polarities(signal: np.ndarray) -> np.ndarray:
    """The positive and the negative part of each channel, (T, channels) → (T, 2 channels).

    Column 2c is max(x_c, 0), column 2c + 1 is max(-x_c, 0).
    """
    both = np.stack([np.maximum(signal, 0), np.maximum(-signal, 0)], axis=-1)
    return both.reshape(len(signal), 2 * signal.shape[1])


def typical_signal() -> np.ndarray:
    """A smooth signal of zero mean and unit variance, always the same, float32 (T, 1)."""
    noise = np.random.default_rng(0).standard_normal(_STEPS)
    noise[1:] *= np.sqrt(1 - _SMOOTHNESS**2)
    for t in range(1, _STEPS):
        noise[t] += _SMOOTHNESS * noise[t - 1]
    return noise.astype(np.float32)[:, None]
