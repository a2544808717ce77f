"""The live spike raster: a ring of columns, patched a band at a time, with a sweep line."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
from bokeh.models import CustomJSTickFormatter

from bim_explorer.views.live import Columns, LivePlot, Rendering
from bim_explorer.views.plots.raster import (
    SPIKES,
    SWEEP,
    band_image,
    raster_plot,
    row_counts,
    step_label,
)

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Steps across the raster, and across each of the images it is made of: one is coloured anew
#: whenever a part of it changes.
WIDTH, TILE = 1000, 100

# The step that column `tick` shows now; before the ring is full, none right of the sweep.
_STEP_CODE = """
const end = ring.data.end[0], width = ring.data.width[0]
const here = end % width, base = end - here
const step = tick < here ? base + tick : base - width + tick
if (tick < 0 || step < 0) return ""
return String(step).replace(/\\B(?=(\\d{3})+(?!\\d))/g, "\\u202f")
"""


class LiveRaster(LivePlot):
    """Spikes of stream 0: the input and every block, the last `WIDTH` steps.

    Args:
        run: The run to show.
        dark: For a dark page.
    """

    def __init__(self, run: RunClient, dark: bool) -> None:
        super().__init__(run, "bim-raster", dark)

    def begin(self) -> None:
        """Read the kept columns into an empty ring."""
        history = self._run.history
        self._generation = history.generation
        self._groups = tuple(history.raster_groups) or expected_groups(self._run.values)
        self._dt_ms = float(self._run.values.get("dt_ms", 1.0))
        self._image = np.zeros((sum(row_counts(self._groups)), WIDTH), np.uint8)
        self._end = 0
        self._take()

    def _take(self) -> int:
        """Write the new columns into the ring; how many columns changed."""
        spikes, first = self._run.history.raster_since(self._end)
        end = first + spikes.shape[1]
        if not spikes.shape[1] or end <= self._end:
            return 0
        changed = min(end - self._end, WIDTH)
        ring = np.arange(end - changed, end) % WIDTH
        self._image[:, ring] = 0
        columns = band_image(spikes[:, -WIDTH:], self._groups)
        ring = np.arange(end - columns.shape[1], end) % WIDTH
        self._image[:, ring] = columns
        self._end = end
        return changed

    def shape(self) -> Hashable:
        """The bands of rows."""
        return self._groups

    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the raster as it is now."""
        return raster_plot(
            self._image,
            self._groups,
            sweep=self._end % WIDTH,
            dt_ms=self._dt_ms,
            dark=self.dark,
            hooks=hooks,
        )

    def description(self) -> str:
        """Name the bands."""
        bands = ", ".join(f"{name} with {count} neurons" for name, count in self._groups)
        return f"Spike raster of stream 0 over the last {WIDTH} steps: {bands or 'no data yet'}."

    def columns(self) -> dict[str, Columns]:
        """Image and write position."""
        rows, left = self._image.shape[0], range(0, WIDTH, TILE)
        size = {"dw": [TILE] * len(left), "dh": [rows] * len(left)}
        tiles = [self._image[:, x : x + TILE].copy() for x in left]
        image = {"x": [*left], "y": [0] * len(left), **size, "image": tiles}
        return {SPIKES: image, SWEEP: self._sweep()}  # pyright: ignore[reportReturnType]

    def bounds(self) -> dict[str, tuple[float, float]]:
        """None: the ring stands still."""
        return {}

    def prepare(self, rendering: Rendering) -> None:
        """Let the axis of time show the step that stands in each column of the ring."""
        for axis in rendering.figure.xaxis:
            axis.formatter = CustomJSTickFormatter(
                args={"ring": rendering.sources[SWEEP]}, code=_STEP_CODE
            )

    def update(self) -> bool:
        """Patch the columns that are new."""
        history = self._run.history
        other = history.raster_groups and tuple(history.raster_groups) != self._groups
        if other or history.generation != self._generation or self._end > history.raster_end:
            self.restart()
            return True
        changed = self._take()
        if changed:
            self._send(changed)
        return bool(changed) | self._follow_dt()

    def _send(self, changed: int) -> None:
        rows = slice(0, self._image.shape[0])
        patches = [
            ((tile, rows, slice(low % TILE, high - tile * TILE)), self._image[:, low:high].ravel())
            for tile, low, high in _runs((self._end - changed) % WIDTH, changed)
        ]
        self.patch(SPIKES, {"image": patches})
        self.replace(SWEEP, self._sweep())

    def _sweep(self) -> Columns:
        end = self._end
        return {"step": np.array([end % WIDTH]), "end": np.array([end]), "width": np.array([WIDTH])}

    def _follow_dt(self) -> bool:
        dt_ms = float(self._run.values.get("dt_ms", 1.0))
        if dt_ms == self._dt_ms:
            return False
        self._dt_ms = dt_ms
        for rendering in self._renderings.values():
            for axis in rendering.figure.xaxis:
                axis.axis_label = step_label(dt_ms)
        return True


def _runs(start: int, changed: int) -> Iterator[tuple[int, int, int]]:
    """So many columns of the ring from `start` on: tile, first and end column of each part."""
    while changed > 0:
        tile = start // TILE
        end = min(start + changed, (tile + 1) * TILE)
        yield tile, start, end
        start, changed = end % WIDTH, changed - (end - start)


def expected_groups(values: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """The bands of a run that has shown no spikes yet, so that it need not be drawn twice."""
    count = values["n_blocks"] if values["model"] == "bim" else 0
    blocks = ((f"block {index + 1}", values["d_model"]) for index in range(count))
    return (("input", values["code_size"]), *blocks)
