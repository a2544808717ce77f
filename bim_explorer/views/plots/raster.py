"""Spike raster: a row a neuron, a column a step, each band of rows in a colour of its own.

The image holds 0 where nobody spiked and the band's number, from 1, where a neuron did; as one
byte a pixel it can be patched a few columns at a time.

Used as a ring of W columns, column c shows the newest step that is c modulo W, and a sweep line
stands where the next step will be written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import holoviews as hv
import numpy as np

from bim_explorer.views import theme
from bim_explorer.views.plots.format import number

SPIKES = "spikes"
SWEEP = "sweep"

_CLEAR = "#00000000"

#: More neurons than this share rows.
MOST_ROWS = 640
#: Room [px] for the title, and for ticks and label of the axis below.
_ABOVE, _BELOW = 8, 56

Groups = Sequence[tuple[str, int]]


def neurons_per_row(groups: Groups) -> int:
    """Neurons that share a row, so that no row is lost on the screen."""
    return max(1, math.ceil(sum(count for _, count in groups) / MOST_ROWS))


def row_counts(groups: Groups) -> list[int]:
    """Rows of each band."""
    shared = neurons_per_row(groups)
    return [math.ceil(count / shared) for _, count in groups]


def band_image(spikes: np.ndarray, groups: Groups) -> np.ndarray:
    """Spikes (neurons, columns) as the numbers of their bands, from 1, uint8 (rows, columns).

    Where neurons share a row, it shows a spike if any of them spiked.
    """
    shared = neurons_per_row(groups)
    bands, first = [np.zeros((0, spikes.shape[1]), np.uint8)], 0
    for band, (_, count) in enumerate(groups, start=1):
        rows = spikes[first : first + count] > 0
        if shared > 1:
            rows = np.maximum.reduceat(rows, np.arange(0, count, shared), axis=0)
        bands.append(rows * np.uint8(band))
        first += count
    return np.concatenate(bands)


def frame_height(rows: int) -> int:
    """Height [px] that gives every row the same whole number of pixels, where it can."""
    if rows < 1:
        return theme.RASTER_HEIGHT
    scale = max(1, round(theme.RASTER_HEIGHT / rows))
    return max(rows * scale, theme.RASTER_HEIGHT // 2)


def _borders(groups: Groups) -> np.ndarray:
    return np.cumsum([0, *row_counts(groups)])


def _bands(groups: Groups, columns: int, look: theme.Tokens) -> hv.Rectangles:
    """A frame about each band, and left of it a narrow strip that ties its label to its colour."""
    width, data = columns / 160, []
    for index, (low, high) in enumerate(pairwise(_borders(groups))):
        data.append((0, low, columns, high, _CLEAR, look.line))
        data.append((-1.6 * width, low, -0.4 * width, high, look.band(index), _CLEAR))
    bands = hv.Rectangles(data, vdims=["fill", "line"], label="bands")
    return bands.opts(fill_color="fill", line_color="line", show_legend=False)


def _image(image: np.ndarray, groups: Groups, look: theme.Tokens) -> hv.Image:
    rows, columns = image.shape
    centres = (np.arange(columns) + 0.5, np.arange(rows) + 0.5, image)
    bands = max(len(groups), 1)
    return hv.Image(centres, ["step", "neuron"], "band", label=SPIKES).opts(
        cmap=[look.band(index) for index in range(bands)],
        clim=(0.5, bands + 0.5),
        clipping_colors={"min": "transparent"},
    )


def raster_title(groups: Groups, columns: int) -> str:
    """`Spikes of stream 0 · last 1 000 steps of 192 neurons`."""
    neurons, shared = sum(count for _, count in groups), neurons_per_row(groups)
    rows = f", {shared} in a row" if shared > 1 else ""
    steps = number(columns, 5)
    return f"Spikes of stream 0 · last {steps} steps of {number(neurons, 5)} neurons{rows}"


def step_label(dt_ms: float) -> str:
    """Label of the raster's axis of time, with its unit."""
    return f"step (1 step = {number(dt_ms)} ms)"


def raster_plot(
    image: np.ndarray,
    groups: Groups,
    *,
    sweep: float | None = None,
    dt_ms: float = 1.0,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """The raster of one stream.

    Args:
        image: Band numbers, uint8 (rows, columns), from `band_image`.
        groups: Name and row count of each band, from the bottom.
        sweep: Column of the write position; None if the image is no ring.
        dt_ms: Time of a step, for the label [ms].
        dark: For a dark page.
        hooks: HoloViews hooks, run last.
    """
    look = theme.tokens(dark)
    rows, columns = image.shape
    edges = _borders(groups)
    position = [] if sweep is None else [float(sweep)]
    line = hv.VLines(position, "step", label=SWEEP).opts(
        color=look.sweep, line_width=1.5, line_alpha=0.8, show_legend=False
    )
    labels = [
        (float(low + high) / 2, f"{name} · {count}")
        for (name, count), (low, high) in zip(groups, pairwise(edges), strict=True)
    ]
    options = {
        **theme.plot_opts(dark, hooks),
        "title": raster_title(groups, columns),
        "xlabel": step_label(dt_ms),
        "ylabel": "neurons",
        "xlim": (-columns / 80, columns),
        "ylim": (0, max(rows, 1)),
        "yticks": labels,
        "show_grid": False,
        "show_legend": False,
        "height": frame_height(rows) + _ABOVE + _BELOW,
    }
    options["backend_opts"] = {
        name: value for name, value in options["backend_opts"].items() if ".grid." not in name
    } | {"plot.min_border_top": _ABOVE, "plot.min_border_bottom": _BELOW}
    return (_image(image, groups, look) * _bands(groups, columns, look) * line).opts(
        hv.opts.Overlay(**options)
    )
