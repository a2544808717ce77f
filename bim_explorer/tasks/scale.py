"""The scale of signal channels, taken of training records and kept with the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Smallest deviation: a channel that never moves stays at zero instead of dividing by it.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of each channel, float32 (channels,)."""

    mean: np.ndarray
    deviation: np.ndarray

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        """A signal (T, channels) at zero mean and unit variance, float32."""
        return ((signal - self.mean) / self.deviation).astype(np.float32)

    @classmethod
    def of(cls, signals: Iterable[np.ndarray]) -> Scale:
        """The scale of signals (T, channels), all together."""
        whole = np.concatenate(list(signals))
        return cls(whole.mean(0), np.maximum(whole.std(0), _LEAST))

    def state(self) -> dict[str, Any]:
        """Itself as JSON-able data."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Scale:
        """What `state` was taken of."""
        parts = (np.array(state[name], np.float32) for name in ("mean", "deviation"))
        return cls(*parts)
