"""Live curves over updates, with a mark wherever a parameter was changed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bim_explorer.core.errors import BimError
from bim_explorer.store.reader import RunReader
from bim_explorer.store.snapshot import Mark
from bim_explorer.views.live import Columns, LivePlot
from bim_explorer.views.plots.curves import EMPTY, PINNED, Points
from bim_explorer.views.plots.format import number
from bim_explorer.views.plots.marks import LABEL as MARKS
from bim_explorer.views.plots.marks import mark_columns
from bim_explorer.views.plots.ranges import nice_above

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Updates across an empty plot.
_SPAN = 100.0
#: Share of the axis that a curve must have grown by to be painted again: one or two pixels.
_SHOWS = 1 / 400


class LiveCurves(LivePlot):
    """Curves of a run's history over its updates; what the plots of them have in common.

    Args:
        run: The run to show.
        dark: For a dark page.

    Attributes:
        elements: Names of the history's curves by the labels of the elements that show them.
        values_of: Column that holds a curve's values, by its name in the history.
        main: Name of the curve that a pinned run shows too.
        pinned: That curve of the pinned run, None if none is pinned.
    """

    css_class: ClassVar[str] = ""
    elements: ClassVar[Mapping[str, str]] = {}
    values_of: ClassVar[Mapping[str, str]] = {}
    main: ClassVar[str] = ""

    def __init__(self, run: RunClient, dark: bool) -> None:
        super().__init__(run, self.css_class, dark)
        self.pinned: Points | None = None

    def shape(self) -> Hashable:
        """Whether there is a pinned curve."""
        return self.pinned is not None

    def pin(self, curves: Mapping[str, Points]) -> None:
        """Lay the curves of another run dashed behind; none of an empty mapping."""
        self.pinned = curves.get(self.main)
        self.restart()

    def begin(self) -> None:
        """Read all kept points and marks."""
        history = self._run.history
        self._generation = history.generation
        self._start = values_at_start(self._run)
        self._marks: tuple[Mark, ...] = tuple(history.marks)
        self._next: dict[str, int] = {}
        self._points: dict[str, Points] = {}
        for name in self.values_of:
            x, y, self._next[name] = history.curve_since(name, 0)
            self._points[name] = (x, y)

    def points(self, name: str) -> Points:
        """All points of a curve that were sent."""
        return self._points.get(name, EMPTY)

    def last_update(self) -> float:
        """The newest update in sight."""
        curves = [*self._points.values(), self.pinned or EMPTY]
        ends = [x[-1] for x, _ in curves if len(x)]
        return float(max(ends, default=0.0))

    def columns(self) -> dict[str, Columns]:
        """Columns of all curves and of the marks."""
        curves = {
            label: self._named(name, self.points(name)) for label, name in self.elements.items()
        }
        behind = {PINNED: self._named(self.main, self.pinned)} if self.pinned else {}
        return {**curves, **behind, MARKS: mark_columns(self._marks, self._start)}

    def _named(self, name: str, points: Points) -> dict[str, np.ndarray]:
        return {"update": points[0], self.values_of[name]: points[1]}

    def bounds(self) -> dict[str, tuple[float, float]]:
        """The axis of updates: round, so that it moves rarely."""
        return {"x": (0.0, self._span())}

    def _span(self) -> float:
        return nice_above(max(self.last_update(), _SPAN))

    def update(self) -> bool:
        """Stream the points and marks that are new."""
        if self._run.history.generation != self._generation:
            self.restart()
            return True
        marks = tuple(self._run.history.marks)
        marked = marks != self._marks
        if not marked and not any(self._shows(name) for name in self.values_of):
            return False
        fresh = {name: self._take(name) for name in self.values_of}
        fresh = {name: points for name, points in fresh.items() if len(points[0])}
        for label, name in self.elements.items():
            if name in fresh:
                self.stream(label, self._named(name, fresh[name]))
        if marked:
            self._marks = marks
            self.replace(MARKS, mark_columns(marks, self._start))
        if fresh:
            self.follow()
        return bool(fresh) or marked

    def _shows(self, name: str) -> bool:
        """Whether a curve's newest point lies so far from the last one sent that it would show."""
        new, sent = self._run.history.curve_since(name, self._next[name])[0], self._points[name][0]
        return len(new) > 0 and (not len(sent) or new[-1] - sent[-1] >= self._span() * _SHOWS)

    def _take(self, name: str) -> Points:
        x, y, self._next[name] = self._run.history.curve_since(name, self._next[name])
        if len(x):
            old = self._points[name]
            self._points[name] = (np.concatenate([old[0], x]), np.concatenate([old[1], y]))
        return x, y

    def _newest(self, name: str) -> str:
        y = self.points(name)[1]
        return number(float(y[-1])) if len(y) else "unknown yet"


def values_at_start(run: RunClient) -> dict[str, Any]:
    """Values in force before a run's first live change, as far as they are known."""
    if not run.history.marks:
        return dict(run.values)
    if run.folder is None:
        return {}
    try:
        return RunReader(run.folder).values
    except BimError:
        return {}
