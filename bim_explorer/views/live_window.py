"""The live STDP window: the configured curve, and what updates did to sampled synapses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np

from bim_explorer.store.snapshot import Pairs
from bim_explorer.views.live import Columns, LivePlot
from bim_explorer.views.plots.ranges import CalmBound
from bim_explorer.views.plots.window import (
    GRADIENT,
    STDP,
    TOTAL,
    WINDOW,
    pair_columns,
    stdp_plot,
    window_columns,
    window_reach,
)

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Sampled synapses that stay in sight, and how many of them one look brings at the most.
KEPT, TAKEN = 100, 25

#: Share by which the scale must move for the curve to follow.
_STEADY = 0.02
_SHAPE = ("a_plus", "a_minus", "tau_plus_ms", "tau_minus_ms")
_PARTS = (STDP, GRADIENT, TOTAL)


class LiveWindow(LivePlot):
    """Δw against Δt, as configured and as it was.

    Args:
        run: The run to show.
        dark: For a dark page.
    """

    def __init__(self, run: RunClient, dark: bool) -> None:
        super().__init__(run, "bim-stdp", dark)

    def begin(self) -> None:
        """Forget the points, and begin with the newest."""
        self._generation = self._run.history.generation
        self._shape: tuple[float, ...] = ()
        self._last_pairs = -1
        self._scale = 0.0
        self._points = pair_columns(_NO_PAIRS)
        self._x, self._y = CalmBound(1.0), CalmBound(1e-12)
        self._pair = CalmBound(1e-12, patience=20)
        self._take()
        self._reshape()

    def _take(self) -> dict[str, dict[str, np.ndarray]] | None:
        """Keep the newest look at the synapses; its points, or None if there is none."""
        pairs = self._run.history.pairs
        if pairs is None or pairs.update == self._last_pairs:
            return None
        self._last_pairs = pairs.update
        if abs(pairs.pair_scale - self._scale) > _STEADY * self._scale:
            self._scale = pairs.pair_scale
        fresh = {label: _thinned(columns) for label, columns in pair_columns(pairs).items()}
        for label, columns in fresh.items():
            kept = self._points[label]
            self._points[label] = {
                name: np.concatenate([kept[name], values])[-KEPT:]
                for name, values in columns.items()
            }
        return fresh

    def _reshape(self) -> bool:
        """Follow the configured window and its scale; whether the curve moved."""
        values = self._run.values
        if any(name not in values for name in _SHAPE):
            return False
        shape = (*(float(values[name]) for name in _SHAPE), self._scale)
        if shape == self._shape:
            return False
        self._shape = shape
        return True

    def _curve(self) -> dict[str, np.ndarray]:
        if not self._shape or not self._scale:
            return {"delta_t": np.empty(0), "window": np.empty(0)}
        return window_columns(dict(zip(_SHAPE, self._shape, strict=False)), self._scale)

    def shape(self) -> Hashable:
        """Always the same."""
        return WINDOW

    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the plot as it is now."""
        bounds = self.bounds()
        return stdp_plot(
            self._curve(),
            self._points,
            xlim=bounds["x"],
            ylim=bounds["y"],
            window_lim=bounds["window"],
            dark=self.dark,
            hooks=hooks,
        )

    def description(self) -> str:
        """Say what is compared."""
        return (
            "Change of sampled synapses in an update against the time between their spikes: "
            "the STDP window as configured, and STDP part, gradient part and whole change."
        )

    def columns(self) -> dict[str, Columns]:
        """The curve and the kept points."""
        return {WINDOW: self._curve(), **self._points}

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Axes about zero that hold the window and all but a few outliers."""
        reach = window_reach(dict(zip(_SHAPE, self._shape, strict=False))) if self._shape else 0.0
        heights = [_most(self._points[part]["change"]) for part in _PARTS]
        peak = self._scale * max(self._shape[:2], default=0.0)
        x, y = self._x.fit(reach), self._y.fit(1.1 * max(heights))
        pair = self._pair.fit(1.05 * peak)
        return {"x": (-x, x), "y": (-y, y), "window": (-pair, pair)}

    def update(self) -> bool:
        """Stream new points, and redraw the curve when a slider or the scale moved."""
        if self._run.history.generation != self._generation:
            self.restart()
            return True
        fresh, moved = self._take(), self._reshape()
        for label, columns in (fresh or {}).items():
            self.stream(label, columns, rollover=KEPT)
        if moved:
            self.replace(WINDOW, self._curve())
        if fresh or moved:
            self.follow()
        return bool(fresh) or moved


def _most(changes: np.ndarray) -> float:
    """A height that holds nearly all of the points, however far the few others lie."""
    if not len(changes):
        return 0.0
    most = int(0.95 * (len(changes) - 1))
    return float(np.partition(np.abs(changes), most)[most])  # ten times as quick as a quantile


def _thinned(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    stride = max(1, -(-len(columns["delta_t"]) // TAKEN))
    return {name: values[::stride] for name, values in columns.items()}


_NO_PAIRS = Pairs(-1, np.empty(0), np.empty(0), np.empty(0), np.empty(0), 0.0)
