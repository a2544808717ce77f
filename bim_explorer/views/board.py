"""The board: the live plots of one run, updated together.

    raster · STDP window · sparsity · loss · metric · for signals: a record beside its spikes

Drawing a plot takes its time, so a page begins with the raster, and every tick brings one of the
other plots until all are there. A board belongs to one session and is touched by that session's
callbacks alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import panel as pn

from bim_explorer.views.live import LivePlot
from bim_explorer.views.live_raster import LiveRaster
from bim_explorer.views.live_sample import LiveSample
from bim_explorer.views.live_scores import LiveLoss, LiveMetric, LiveSparsity
from bim_explorer.views.live_window import LiveWindow

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Ticks that the first spikes are waited for before another plot is drawn, which delays them.
FIRST_SPIKES = 5

_CURVES = ("loss", "metric", "validation", "sparsity", "threshold", "firing_rate")


class Board:
    """The live plots of a run.

    Args:
        run: The run to show.
        dark: For a dark page; set `dark` to follow the page's switch.
    """

    def __init__(self, run: RunClient, dark: bool = False) -> None:
        self._run = run
        self._raster = LiveRaster(run, dark)
        self._stdp = LiveWindow(run, dark)
        self._loss = LiveLoss(run, dark)
        self._metric = LiveMetric(run, dark)
        self._sparsity = LiveSparsity(run, dark)
        self._sample = LiveSample(run, dark)
        self._wait = FIRST_SPIKES
        self._raster.complete()

    @property
    def raster(self) -> pn.Column:
        """Spikes of the input and of every block."""
        return self._raster.pane

    @property
    def stdp(self) -> pn.Column:
        """The STDP window and what updates did to sampled synapses."""
        return self._stdp.pane

    @property
    def sparsity(self) -> pn.Column:
        """Sparsity, its target and the threshold."""
        return self._sparsity.pane

    @property
    def loss(self) -> pn.Column:
        """Training loss."""
        return self._loss.pane

    @property
    def metric(self) -> pn.Column:
        """Training metric and validation score."""
        return self._metric.pane

    @property
    def dark(self) -> bool:
        """Whether the plots have the colours for a dark page; setting it exchanges them."""
        return self._raster.dark

    @dark.setter
    def dark(self, dark: bool) -> None:
        for plot in self._plots:
            plot.dark = dark

    @property
    def sample(self) -> pn.Column:
        """A record of signals beside its spikes; hidden where a task has no signals."""
        return self._sample.pane

    def update(self) -> bool:
        """Send what is new since the last call, or draw a plot; whether anything was sent."""
        missing = next((plot for plot in self._plots if not plot.drawn), None)
        changed = [plot.update() for plot in self._plots if plot.drawn]
        if missing is not None and self._wait <= 0:
            missing.complete()
        self._wait = 0 if any(changed) else self._wait - 1
        if missing is not None or any(changed):
            self._push()
            return True
        return False

    def complete(self) -> None:
        """Draw at once what was not drawn yet."""
        for plot in self._plots:
            if not plot.drawn:
                plot.complete()

    def rebuild(self, run: RunClient) -> None:
        """Show another run, or the same one after a new start with another network."""
        self._run = run
        for plot in self._plots:
            plot.show(run)

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The run's curves as they are now, for `pin` or an export."""
        return {name: self._run.history.curve(name) for name in _CURVES}

    def pin(self, curves: Mapping[str, tuple[np.ndarray, np.ndarray]] | None) -> None:
        """Lay another run's curves dashed behind the live ones; None takes them away."""
        for plot in self._curves:
            plot.pin(curves or {})

    @property
    def _curves(self) -> tuple[LiveLoss, LiveMetric, LiveSparsity]:
        return (self._loss, self._metric, self._sparsity)

    @property
    def _plots(self) -> tuple[LivePlot, ...]:
        return (self._raster, self._stdp, self._sparsity, self._loss, self._metric, self._sample)

    def _push(self) -> None:
        for plot in self._plots:
            plot.push()
