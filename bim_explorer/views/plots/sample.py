"""A record of signals, and below it on the same steps the spikes that the encoder makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np

from bim_explorer.views import theme

#: Height of a channel, and of all spikes, in lanes.
_SPIKE_LANES = 4.0
#: Deviations that fill a lane.
_LANE = 6.0

TITLE = "One record: its signals, and the spikes that the encoder makes of them"


def sample_plot(
    signal: np.ndarray,
    spikes: np.ndarray,
    *,
    dt_ms: float,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """Signals above, spikes below.

    Args:
        signal: In standard deviations, float (T, channels).
        spikes: 0 or 1, uint8 (T, M).
        dt_ms: Time of a step [ms].
        dark: For a dark page.
        hooks: HoloViews hooks, run last.
    """
    look = theme.tokens(dark)
    steps, channels = signal.shape
    seconds = np.arange(steps) * dt_ms / 1000.0
    end = max(steps * dt_ms / 1000.0, 1e-9)
    lanes = _SPIKE_LANES + 0.6 + np.arange(channels)
    lines = [
        _line(seconds, signal[:, channel], lane, f"channel {channel + 1}", look)
        for channel, lane in enumerate(lanes)
    ]
    ticks = [(_SPIKE_LANES / 2, f"input · {spikes.shape[1]}")]
    ticks += [(float(lane), line.label) for lane, line in zip(lanes, lines, strict=True)]
    options = {
        **theme.plot_opts(dark, hooks),
        "title": TITLE,
        "xlabel": "time (s)",
        "ylabel": "",
        "xlim": (0.0, end),
        "ylim": (0.0, _SPIKE_LANES + channels + 0.3),
        "yticks": ticks,
        "show_grid": False,
        "show_legend": False,
    }
    return hv.Overlay([_image(spikes, end, look), *lines]).opts(hv.opts.Overlay(**options))


def _image(spikes: np.ndarray, end: float, look: theme.Tokens) -> hv.Image:
    bounds = (0.0, 0.0, end, _SPIKE_LANES)
    image = hv.Image(spikes.T[::-1].astype(np.uint8), bounds=bounds, label="input spikes")
    clear = {"min": "transparent"}
    return image.opts(cmap=[look.band(0)], clim=(0.5, 1.5), clipping_colors=clear, colorbar=False)


def _line(
    seconds: np.ndarray, channel: np.ndarray, lane: float, label: str, look: theme.Tokens
) -> hv.Curve:
    height = lane + np.clip(channel / _LANE, -0.5, 0.5)
    line = hv.Curve((seconds, height), "time", "lane", label=label)
    return line.opts(color=look.metric, line_width=1.25, show_legend=False)
