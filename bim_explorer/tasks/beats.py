"""The heart's beats as slow channels: the mean beat so far of each lead, and its rhythm.

    e_n        length of the leads' vector in the QRS band, 5 to 20 Hz
    beat       a peak of e above 0.45 E, 250 ms behind the last one at the earliest
    E          size of a beat's peak: E ← E + 0.2 (e − E); it falls while no beat comes
    shape      the samples around a beat, averaged in spans of PHASES; known 450 ms behind it
    m          mean shape of the beats so far: m ← m + max(1/n, 1/8) (shape − m)

A beat is noticed one sample after its peak and nothing looks ahead. After Pan & Tompkins 1985.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numba
import numpy as np

from bim_explorer.tasks.causal import bandpass

#: Spans around a beat over which a lead is averaged, in ms: P wave, QRS in detail, ST, T wave.
PHASES = (-250, -150, -100, -50, -30, -10, 10, 30, 50, 90, 150, 250, 350, 450)
N_PHASES = len(PHASES) - 1
#: Log of a beat's distance in seconds, its irregularity, and the share of early beats.
N_RHYTHM = 3
_QRS_HZ = (5.0, 20.0)
_REFRACTORY_S, _START_S = 0.25, 1.0
_TYPICAL_S = 0.8


def beats_of(leads: np.ndarray, rate: float) -> np.ndarray:
    """Sample numbers of the beats, int64 (n,).

    Args:
        leads: Millivolts, float (T, leads).
        rate: Samples a second.
    """
    size = np.sqrt((bandpass(leads, rate, *_QRS_HZ) ** 2).sum(1))
    return _peaks(size, int(_START_S * rate), int(_REFRACTORY_S * rate))


def mean_beat(leads: np.ndarray, beats: np.ndarray, rate: float) -> np.ndarray:
    """The mean beat so far at every sample, float64 (T, leads × N_PHASES), 0 before the first.

    Args:
        leads: Millivolts, float (T, leads).
        beats: Sample numbers of the beats.
        rate: Samples a second.
    """
    edges = np.round(np.array(PHASES) * rate / 1000).astype(np.int64)
    mean = np.zeros((len(leads), leads.shape[1] * N_PHASES))
    count, since, value = 0, 0, np.zeros(mean.shape[1])
    for beat in beats:
        known = beat + edges[-1]
        if beat + edges[0] < 0 or known >= len(leads):
            continue
        mean[since:known] = value
        spans = pairwise(edges)
        shape = [leads[beat + a : beat + max(b, a + 1)].mean(0) for a, b in spans]
        count += 1
        value = value + max(1 / count, 1 / 8) * (np.stack(shape, axis=1).ravel() - value)
        since = known
    mean[since:] = value
    return mean


def rhythm(beats: np.ndarray, length: int, rate: float) -> np.ndarray:
    """Distance and irregularity of the beats so far at every sample, float64 (T, N_RHYTHM)."""
    found = np.zeros((length, N_RHYTHM))
    found[:, 0] = math.log(_TYPICAL_S)
    value, before = found[0].copy() if length else np.zeros(N_RHYTHM), 0.0
    for count, (last, beat) in enumerate(pairwise(beats), start=1):
        distance = (beat - last) / rate
        gain = max(1 / count, 1 / 8)
        change = (distance - before) / before if before else 0.0
        heard = np.array([math.log(distance), abs(change), float(change < -0.15)])
        value = value + gain * (heard - value)
        before = distance
        found[beat + 1 :] = value
    return found


@numba.njit(cache=True, nogil=True)
def _peaks(size: np.ndarray, start: int, refractory: int) -> np.ndarray:
    found = np.empty(len(size), np.int64)
    count, last = 0, -refractory
    typical = 0.0
    for t in range(1, len(size) - 1):
        if t < start:
            typical = max(typical, size[t])
            continue
        top = size[t] >= size[t - 1] and size[t] > size[t + 1]
        if top and size[t] > 0.45 * typical and t - last > refractory:
            typical += 0.2 * (size[t] - typical)
            found[count] = last = t
            count += 1
        elif t - last > 6 * refractory:
            typical *= 0.99
    return found[:count]
