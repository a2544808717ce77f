"""Causal filters: what a sample becomes depends on it and on those before it, on none behind.

    running mean    m_n = m_{n−1} + g_n (x_n − m_{n−1}),   g_n = max(1/n, 1/(τ · rate))

the plain mean of all samples so far until τ has passed, a leaky one with time constant τ then.
Filters begin as if their first sample had stood there for ever, so a recording's offset makes no
transient.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numba
import numpy as np
from scipy import signal as filters


def highpass(x: np.ndarray, rate: float, cutoff_hz: float) -> np.ndarray:
    """What is faster than a cutoff, Butterworth of first order, float64 (T, channels)."""
    return _filtered(x, rate, cutoff_hz, "highpass")


def bandpass(x: np.ndarray, rate: float, low_hz: float, high_hz: float) -> np.ndarray:
    """What lies in a band, Butterworth of first order a side, float64 (T, channels)."""
    high_hz = min(high_hz, 0.45 * rate)
    return _filtered(x, rate, (low_hz, high_hz), "bandpass")


def running_mean(x: np.ndarray, rate: float, tau_s: float) -> np.ndarray:
    """Mean of the samples so far, leaky with time constant `tau_s`, float64 (T, channels)."""
    mean = np.empty(x.shape, np.float64)
    _mean(np.ascontiguousarray(x, np.float64), 1 / (tau_s * rate), mean)
    return mean


def last_heard(length: int, rate: float, dt_ms: float) -> np.ndarray:
    """The last sample that each step has heard, int64 (T,): step t hears those before (t + 1) dt.

    Args:
        length: Samples of the recording.
        rate: Samples a second.
        dt_ms: Time of a step.
    """
    per_step = rate * dt_ms / 1000
    steps = math.floor(length / per_step + 1e-9)
    heard = np.floor((np.arange(steps) + 1) * per_step + 1e-9).astype(np.int64) - 1
    return np.maximum(heard, 0)


def _filtered(
    x: np.ndarray, rate: float, corners_hz: float | tuple[float, float], kind: str
) -> np.ndarray:
    sections, settled = _design(rate, corners_hz, kind)
    start = settled[:, :, None] * x[0].astype(np.float64)
    return filters.sosfilt(sections, x.astype(np.float64), axis=0, zi=start)[0]


@lru_cache
def _design(
    rate: float, corners_hz: float | tuple[float, float], kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """Second-order sections, and their state where a constant 1 has stood for ever."""
    sections = np.asarray(filters.butter(1, corners_hz, kind, fs=rate, output="sos"))
    return sections, filters.sosfilt_zi(sections)


@numba.njit(cache=True, nogil=True)
def _mean(x: np.ndarray, slowest: float, mean: np.ndarray) -> None:
    for c in range(x.shape[1]):
        value = 0.0
        for t in range(x.shape[0]):
            value += max(1.0 / (t + 1), slowest) * (x[t, c] - value)
            mean[t, c] = value
