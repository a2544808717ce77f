"""A record of signals beside its spikes, drawn once a run; hidden where there is none."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np

from bim_explorer.store.snapshot import Sample
from bim_explorer.views.live import Columns, LivePlot
from bim_explorer.views.plots.sample import sample_plot

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

_NOTHING = Sample(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8))


class LiveSample(LivePlot):
    """What goes into the network, as it was recorded and as it is encoded.

    Args:
        run: The run to show.
        dark: For a dark page.
    """

    def __init__(self, run: RunClient, dark: bool) -> None:
        super().__init__(run, "bim-sample", dark)
        self._sample: Sample | None = None
        self.pane.visible = False

    @property
    def drawn(self) -> bool:
        """Whether there is nothing left to draw."""
        return self._run.history.sample is None or super().drawn

    def begin(self) -> None:
        """Take the record, and show or hide the plot."""
        self._sample = self._run.history.sample
        self.pane.visible = self._sample is not None

    def shape(self) -> Hashable:
        """The record itself."""
        return id(self._sample)

    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the plot of the record."""
        sample = self._sample or _NOTHING
        dt_ms = float(self._run.values.get("dt_ms", 1.0))
        return sample_plot(sample.signal, sample.spikes, dt_ms=dt_ms, dark=self.dark, hooks=hooks)

    def description(self) -> str:
        """Say what is shown."""
        sample = self._sample or _NOTHING
        return (
            f"One record of {sample.signal.shape[1]} signal channels and the spikes of "
            f"{sample.spikes.shape[1]} input neurons that encode it."
        )

    def columns(self) -> dict[str, Columns]:
        """None: a record stands still."""
        return {}

    def bounds(self) -> dict[str, tuple[float, float]]:
        """None: a record stands still."""
        return {}

    def update(self) -> bool:
        """Draw a new run's record."""
        if self._run.history.sample is self._sample:
            return False
        self.complete()
        return True

    def restart(self) -> None:
        """Show the present run's record, or nothing."""
        self.begin()
        if self._sample is not None:
            self.complete()
