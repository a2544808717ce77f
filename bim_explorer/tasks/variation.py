"""Variation of training speech: each time a recording comes, it is a little another one.

    pace       time stretched by up to 12 %
    voice      channels stretched by up to 6 %, as by a longer or shorter vocal tract
    masking    a band of channels and a span of time silenced to the mean
    noise      white noise of up to 15 % of a channel's deviation

Few recordings teach a network their details; varied, they teach what they have in common.
Source: SpecAugment, Park et al. 2019, for the masking; Jaitly & Hinton 2013 for the voice.
"""

from __future__ import annotations

import numpy as np

from bim_explorer.tasks.record import Record

PACE, VOICE = 0.12, 0.06
BAND, SPAN = 0.15, 0.1
NOISE = (0.0, 0.15)


def varied(record: Record, rng: np.random.Generator) -> Record:
    """Another take of a record in scale; its only verdict stays at the end."""
    length, channels = record.signal.shape
    steps = max(round(length * rng.uniform(1 - PACE, 1 + PACE)), 1)
    time = np.linspace(0, length - 1, steps)
    place = np.arange(channels) * rng.uniform(1 - VOICE, 1 + VOICE)
    signal = _between(_between(record.signal, time).T, place).T
    signal[:, _span(channels, BAND, rng)] = 0.0
    signal[_span(steps, SPAN, rng)] = 0.0
    signal += rng.uniform(*NOISE) * rng.standard_normal(signal.shape, np.float32)
    nearest = np.rint(time).astype(np.int64)
    verdict = np.zeros(steps, bool)
    verdict[-1] = record.verdict[-1]
    return Record(signal, record.target[nearest], record.mask[nearest], verdict)


def _between(rows: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows (n, m) at fractional places (k,), linearly between neighbours, float32 (k, m)."""
    place = np.clip(place, 0, len(rows) - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(rows) - 1)
    share = (place - below)[:, None]
    return ((1 - share) * rows[below] + share * rows[above]).astype(np.float32)


def _span(length: int, share: float, rng: np.random.Generator) -> slice:
    """A random stretch of up to that share of a length."""
    width = int(rng.integers(int(share * length) + 1))
    start = int(rng.integers(length - width + 1))
    return slice(start, start + width)
