"""What a running experiment shows at one moment: an immutable, numpy-only picture.

A snapshot carries increments: the columns and points that are new since the one before it.
Whoever keeps a history appends them; whoever comes late asks that history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Raised whenever a field changes its meaning.
SNAPSHOT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Raster:
    """New spikes of stream 0, one column a step.

    Attributes:
        groups: Name and row count of each band of rows, from the bottom: input, then blocks.
        spikes: 0 or 1, uint8 (rows, columns), the newest columns only.
        end: Step of stream 0 behind the last column: columns are `end - n … end - 1`.
    """

    groups: tuple[tuple[str, int], ...]
    spikes: np.ndarray
    end: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Sampled synapses: what one update did to each, against the Δt of its nearest spike pair.

    Attributes:
        update: Number of that update.
        delta_t_ms: t_post - t_pre of the nearest pair [ms] (n,).
        stdp: Part of the local rule in Δw (n,).
        gradient: Gradient part of Δw (n,).
        total: The change of the weight, optimizer and bounds included (n,).
        pair_scale: Δw that one pair of window height 1 makes at λ = 0, for drawing the window; 0
            where the local rule is not made of the window's pairs.
    """

    update: int
    delta_t_ms: np.ndarray
    stdp: np.ndarray
    gradient: np.ndarray
    total: np.ndarray
    pair_scale: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A record of signals beside the spikes that its encoder made of it.

    Attributes:
        signal: Some of its channels, in standard deviations, float32 (T, channels).
        spikes: 0 or 1, uint8 (T, M).
    """

    signal: np.ndarray
    spikes: np.ndarray


@dataclass(frozen=True, slots=True)
class Mark:
    """A live change: the update at which it took effect, and the new values."""

    update: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One picture of a run.

    Attributes:
        update: Updates done.
        steps: Time steps done, summed over the streams.
        status: "running", "paused", "diverged" or "finished".
        message: One sentence for the page, empty if there is nothing to say.
        values: All flat parameter values in force.
        figures: Newest value of `metric, loss, sparsity, threshold, firing_rate,
            steps_per_second, validation, gradient_rms, stdp_rms`; those unknown yet are left out.
        curves: New points by name, each a pair of arrays (update, value), of `loss, metric,
            validation, sparsity, threshold, firing_rate`.
        raster: New spikes, or None if no step was taken.
        pairs: The newest sampled synapses, or None.
        marks: Live changes since the last snapshot.
        sample: A record of signals, once a run; None for tasks without signals.
        version: `SNAPSHOT_VERSION`.
    """

    update: int
    steps: int
    status: str
    message: str
    values: dict[str, Any]
    figures: dict[str, float]
    curves: dict[str, tuple[np.ndarray, np.ndarray]]
    raster: Raster | None = None
    pairs: Pairs | None = None
    marks: tuple[Mark, ...] = ()
    sample: Sample | None = None
    version: int = field(default=SNAPSHOT_VERSION)
