"""A live plot: HoloViews declares it, a hook hands out its column data sources, which are fed.

Drawing through HoloViews costs hundreds of milliseconds, streaming into a source a fraction of
one; so a `LivePlot` is drawn once, keeps the sources and axes of every rendering by the labels of
the plot's elements, and from then on streams, patches and replaces columns.

Whoever owns a session calls `update` from that session's own callback only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakMethod

import holoviews as hv
import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, Legend, Plot, Range1d
from panel.io.notebook import push

from bim_explorer.views import notebook, theme
from bim_explorer.views.plots.format import number_hook
from bim_explorer.views.plots.legend import heading_html
from bim_explorer.views.restyle import restyle_figure, restyle_text

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

notebook.load()

Columns = Mapping[str, np.ndarray]

#: Columns with fewer rows travel as lists.
_SHORT = 40


@dataclass(slots=True)
class Rendering:
    """One place where a live plot is shown: its sources and axes.

    Attributes:
        figure: The Bokeh plot.
        sources: Sources by the label of the element they belong to.
        ranges: `x`, `y` and further axes by the name of their dimension.
        shown: The bounds each range was last told to show.
    """

    figure: Plot
    sources: dict[str, ColumnDataSource]
    ranges: dict[str, Range1d]
    shown: dict[str, tuple[float, float]] = field(default_factory=dict)

    def show_range(self, name: str, bounds: tuple[float, float]) -> None:
        """Move an axis, unless the user has zoomed or panned it; its reset leads here."""
        axis = self.ranges[name]
        last = self.shown.get(name)
        if last == bounds:
            return
        self.shown[name] = bounds
        start, end = bounds
        if last is None or last == (axis.start, axis.end):
            axis.update(start=start, end=end, reset_start=start, reset_end=end)
        else:
            axis.update(reset_start=start, reset_end=end)


def _rendering(plot: Any) -> Rendering:
    handles = plot.handles
    sources = {
        sub.hmap.last.label: sub.handles["source"]
        for sub in plot.subplots.values()
        if "source" in sub.handles
    }
    ranges = {"x": handles["x_range"], "y": handles["y_range"], **handles["extra_y_ranges"]}
    return Rendering(handles["plot"], sources, ranges)


class LivePlot(ABC):
    """Base of the live plots: declare with `draw`, fill with `columns`, feed in `update`.

    It holds its place, empty, until `complete` draws it.

    Args:
        run: The run to show.
        css_class: Stable class by which tests and styles find the plot.
        dark: For a dark page.

    Attributes:
        pane: What goes into a layout.
    """

    def __init__(self, run: RunClient, css_class: str, dark: bool) -> None:
        self._run = run
        self._dark = self._drawn_dark = dark
        self._drawn: Hashable = None
        self._renderings: WeakKeyDictionary[Any, Rendering] = WeakKeyDictionary()
        self._heading = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=0, stylesheets=[theme.stylesheet("plot")]
        )
        self._plot = pn.pane.HoloViews(sizing_mode="stretch_width", linked_axes=False, margin=0)
        self.pane = pn.Column(
            self._heading,
            self._plot,
            css_classes=["bim-plot", css_class],
            sizing_mode="stretch_width",
            min_height=theme.PLOT_HEIGHT,
            margin=0,
        )

    @abstractmethod
    def begin(self) -> None:
        """Read the run from scratch: after a reset, and when kept points were thinned."""

    @abstractmethod
    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the plot as it is now; `hooks` must be passed on to it."""

    @abstractmethod
    def description(self) -> str:
        """One line that stands for the picture where it cannot be seen."""

    @abstractmethod
    def columns(self) -> dict[str, Columns]:
        """All columns as they are now, by the labels of the elements that are fed."""

    @abstractmethod
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Bounds of the axes that follow the data."""

    @abstractmethod
    def update(self) -> bool:
        """Send what is new; whether anything was."""

    @abstractmethod
    def shape(self) -> Hashable:
        """What the plot is made of besides its columns; it is drawn anew when that changes."""

    @property
    def dark(self) -> bool:
        """Whether it has the colours for a dark page; setting it exchanges them."""
        return self._dark

    @dark.setter
    def dark(self, dark: bool) -> None:
        if dark == self._dark:
            return
        self._dark = dark
        self._heading.object = restyle_text(self._heading.object, dark)
        for rendering in self._renderings.values():
            restyle_figure(rendering.figure, dark)

    @property
    def drawn(self) -> bool:
        """Whether it was drawn already."""
        return self._drawn is not None

    def complete(self) -> None:
        """Draw it for the first time."""
        self.begin()
        self._declare()

    def show(self, run: RunClient) -> None:
        """Show this run from now on."""
        self._run = run
        self.restart()

    def restart(self) -> None:
        """Read the run from scratch, and draw anew only if the plot is made of other parts now."""
        if not self.drawn:
            return
        self.begin()
        if self._drawn == self.shape():
            self.refill()
        else:
            self._declare()

    def _declare(self) -> None:
        self._drawn, self._drawn_dark = self.shape(), self._dark
        self._renderings.clear()
        overlay = self.draw([number_hook, _weak_hook(self._attach)])
        self._heading.object = heading_html(overlay)
        self._plot.object = overlay.opts(hv.opts.Overlay(title="", show_legend=False))

    def refill(self) -> None:
        """Replace all columns, as after a reset or when kept points were thinned."""
        columns = self.columns()
        words = {"role": "figure", "aria-label": self.description()}
        for rendering in self._renderings.values():
            _fill(rendering, columns)
            rendering.figure.html_attributes = words
        self.follow()

    def follow(self) -> None:
        """Let the axes follow the data."""
        bounds = self.bounds()
        for rendering in self._renderings.values():
            for name, limits in bounds.items():
                rendering.show_range(name, limits)

    def stream(self, label: str, columns: Columns, rollover: int | None = None) -> None:
        """Append rows to an element's source."""
        for rendering in self._renderings.values():
            rendering.sources[label].stream(_light(columns), rollover)

    def replace(self, label: str, columns: Columns) -> None:
        """Replace an element's columns."""
        for rendering in self._renderings.values():
            rendering.sources[label].data = _light(columns)

    def patch(self, label: str, patches: Mapping[str, list[Any]]) -> None:
        """Patch parts of an element's columns (see `ColumnDataSource.patch`)."""
        for rendering in self._renderings.values():
            rendering.sources[label].patch(dict(patches))

    def push(self) -> None:
        """Send what is held back where there is no server: in the cells of a notebook."""
        for plot in self._renderings:
            if plot.comm is not None and plot.document is not None:
                push(plot.document, plot.comm)

    def _attach(self, plot: Any, element: Any) -> None:
        rendering = _rendering(plot)
        rendering.figure.toolbar_inner = True
        rendering.figure.toolbar.stylesheets = [theme.stylesheet("toolbar")]
        _drop_legends(rendering.figure)
        self._renderings[plot] = rendering
        self.prepare(rendering)
        if self._dark != self._drawn_dark:
            restyle_figure(rendering.figure, self._dark)
        self.refill()

    def prepare(self, rendering: Rendering) -> None:  # noqa: B027 - a hook, not a duty
        """Finish a new rendering where a plot needs more than its columns and axes."""


def _weak_hook(method: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A HoloViews hook that keeps nothing alive: HoloViews has all options in one global store."""
    reference = WeakMethod(method)

    def hook(plot: Any, element: Any) -> None:
        found = reference()
        if found is not None:
            found(plot, element)

    return hook


def _light(columns: Columns) -> dict[str, Any]:
    """Columns as they travel best: every array is a message of its own, short ones go as lists."""
    return {
        name: values.tolist() if len(values) < _SHORT else values
        for name, values in columns.items()
    }


def _drop_legends(figure: Plot) -> None:
    """The heading has the legend; a hidden one would still be worked on with every column."""
    for side in ("above", "below", "left", "right", "center"):
        parts = getattr(figure, side)
        setattr(figure, side, [part for part in parts if not isinstance(part, Legend)])


def _fill(rendering: Rendering, columns: Mapping[str, Columns]) -> None:
    for label, data in columns.items():
        rendering.sources[label].data = dict(data)
