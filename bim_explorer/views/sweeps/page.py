"""The page that watches a sweep: its folder is looked at every other second, whoever runs it.

folder → result → squares, figures, failures (at once) and pictures (when a run has ended)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holoviews as hv
import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewer

from bim_explorer.core.errors import BimError
from bim_explorer.store.paths import runs_root
from bim_explorer.sweeps.result import open_sweep
from bim_explorer.sweeps.runner import Standing
from bim_explorer.views import shell, theme
from bim_explorer.views.sweeps import curves, heat_map, parallel_coordinates, pareto, standing
from bim_explorer.views.sweeps.frame import FIGURES, axes_of, label, varied

#: Milliseconds between two looks.
LOOK_MS = 2000
_HEIGHT = 340


class SweepView(Viewer):
    """A sweep, live: what the page shows, also in a notebook cell.

    Args:
        folder: The sweep's folder.
        dark: For a dark page.

    Example:
        >>> SweepView("runs/study")
    """

    x = param.Selector(objects=[""], label="Right")
    y = param.Selector(objects=[""], label="Up")
    by = param.Selector(objects=[""], label="Curves by")
    value = param.Selector(default="validation", objects=list(FIGURES), label="Figure")
    cost = param.Selector(
        default="sparsity", objects=["sparsity", "firing_rate"], label="Front against"
    )
    dark = param.Boolean(False)

    def __init__(self, folder: str | Path, dark: bool = False) -> None:
        super().__init__(dark=dark)
        self._seen: Any = None
        self.result = open_sweep(folder)
        sheets = [theme.stylesheet("sweeps"), theme.stylesheet("page")]
        self._html = {
            name: pn.pane.HTML(css_classes=[f"bim-sweep-{name}"], stylesheets=sheets, **theme.STACK)
            for name in ("head", "cards", "runs", "failures")
        }
        self._plots = {
            name: pn.pane.HoloViews(
                None, linked_axes=False, height=_HEIGHT, sizing_mode="stretch_width", margin=0
            )
            for name in ("heat", "curves", "parallel", "pareto")
        }
        self._frames = {
            name: pn.Column(
                pane, css_classes=["bim-plot", f"bim-{name}"], visible=False, **theme.STACK
            )
            for name, pane in self._plots.items()
        }
        self._offer()
        self.param.watch(lambda *_: self.draw(), ["x", "y", "by", "value", "cost", "dark"])
        self.look()

    def look(self) -> None:
        """Look at the folder again; pictures are drawn anew if a run has ended since."""
        self.result = self.result.again()
        self._tell()
        seen = [record.status for record in self.result.records if record.outcome]
        if seen != self._seen:
            self._seen = seen
            self._offer()
            self.draw()

    def draw(self) -> None:
        """Draw all pictures anew."""
        with pn.io.hold():
            for name, make in self._pictures().items():
                frame = self._frames[name]
                try:
                    self._plots[name].object = make()
                    frame.visible = True
                except BimError:  # fewer axes than the picture has
                    frame.visible = False

    def _tell(self) -> None:
        for name, pane in self._html.items():
            html = getattr(standing, name)(self.result)
            if html != pane.object:
                pane.object = html

    def _offer(self) -> None:
        """Offer the axes that there are, those with several values first."""
        data = self.result.dataset
        axes = list(dict.fromkeys([*varied(data), *axes_of(data)])) or [""]
        names = {label(name): name for name in axes}
        for index, name in enumerate(("x", "y", "by")):
            self.param[name].objects = names
            if getattr(self, name) not in axes:
                start = axes[min(index, len(axes) - 1)] if name != "by" else axes[0]
                setattr(self, name, start)

    def _pictures(self) -> dict[str, Callable[[], hv.Element]]:
        data, dark = self.result.dataset, self.dark
        if not self._seen:
            return {}
        up = self.y if self.y != self.x else ""
        return {
            "heat": lambda: heat_map(data, self.x or None, up or None, self.value, dark=dark),
            "curves": lambda: curves(data, self.by or None, self.value, dark=dark),
            "parallel": lambda: parallel_coordinates(data, self.value, dark=dark),
            "pareto": lambda: pareto(data, self.value, self.cost, dark=dark),
        }

    def __panel__(self) -> pn.Column:
        select = {"size": "small", "sizing_mode": "stretch_width", "margin": 0}
        picks = pn.Column(
            *(
                pmui.Select.from_param(self.param[name], **select)
                for name in ("value", "x", "y", "by", "cost")
            ),
            css_classes=["bim-sweep-picks"],
            stylesheets=[theme.stylesheet("sweeps")],
            **theme.STACK,
        )
        board = pn.Column(
            *self._frames.values(),
            css_classes=["bim-board"],
            stylesheets=[theme.stylesheet("page")],
            **theme.STACK,
        )
        html = self._html
        return pn.Column(
            *(html["head"], html["cards"], html["runs"], picks, board, html["failures"]),
            css_classes=["bim-main"],
            stylesheets=[theme.stylesheet("page")],
            **theme.STACK,
        )


class LiveSweep(Viewer):
    """The progress of a sweep in a notebook cell, drawn as its runs come in.

    Show it in a cell before the one that sweeps: JupyterLab connects it only while the kernel is
    idle.

    Example:
        >>> live = LiveSweep()
        >>> live
        >>> sweep("study.toml", progress=live)  # in the next cell
    """

    def __init__(self) -> None:
        super().__init__()
        self._due = 0.0
        self._view: SweepView | None = None
        self._place = pn.Column("waiting for the first run …", **theme.STACK)

    def __call__(self, standing: Standing) -> None:
        """Show how the sweep stands: every other second, and its end."""
        now = time.monotonic()
        if now < self._due and standing.done < standing.total:
            return
        self._due = now + LOOK_MS / 1000
        if self._view is None:
            self._view = SweepView(standing.folder.path)
            self._place[:] = [self._view]
        else:
            self._view.look()

    def __panel__(self) -> pn.Column:
        return self._place


def page(folder: str | Path | None = None) -> pmui.Page:
    """The page of a sweep: the one asked for, or the newest below the folder of runs."""
    dark = pn.config.theme == "dark"
    try:
        view = SweepView(folder or newest(runs_root()), dark)
    except BimError as error:
        return shell.page([], [pn.pane.Markdown(f"## No sweep\n\n{error}", **theme.TEXT)], dark)
    made = shell.page([], [view], dark)
    made.param.watch(lambda event: setattr(view, "dark", event.new), "dark_theme")
    pn.state.add_periodic_callback(view.look, period=LOOK_MS)
    return made


def newest(root: Path) -> Path:
    """The sweep folder below `root` that was begun last.

    Raises:
        BimError: There is none.
    """
    found = sorted(root.glob("*/plan.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BimError(
            f"There is no sweep below {root}. Start one with `bim-explorer sweep`, or name its "
            "folder."
        )
    return found[-1].parent
