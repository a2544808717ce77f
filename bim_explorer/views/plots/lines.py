"""Curves, bars and matrices of any quantity, in the page's look: for lessons and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import holoviews as hv
import numpy as np

from bim_explorer.views import theme
from bim_explorer.views.plots.format import number_hook

#: Points of a curve: where and how much.
Points = tuple[Any, Any]

#: Height [px]; a lesson has more room than the page.
HEIGHT = 300

_LOW, _MIDDLE, _HIGH = theme.BLUE, "#F7F7F7", theme.VERMILLION


def lines_plot(
    curves: Mapping[str, Points],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    points: Mapping[str, Points] | None = None,
    behind: Sequence[str] = (),
    dark: bool = False,
    **options: Any,
) -> hv.Overlay:
    """Curves over one axis, with a legend above them.

    Args:
        curves: Points by label.
        title: What is seen.
        xlabel: Quantity along x, with its unit.
        ylabel: Quantity along y, with its unit.
        points: Points that no line joins, by label.
        behind: Labels of curves that are dashed and grey: levels, predictions.
        dark: For a dark page.
        **options: HoloViews options of the whole, such as `xlim`, `logx` or `height`.
    """
    look, colours, layers = theme.tokens(dark), count(), []
    axes = [("x", xlabel), ("y", ylabel)]
    for label, data in curves.items():
        grey = label in behind
        colour = look.muted if grey else look.band(next(colours))
        curve = hv.Curve(_columns(data), *axes, label=label)
        style = {"line_dash": "dashed", "line_width": 1.5} if grey else {"line_width": 2}
        layers.append(curve.opts(color=colour, **style, **_hover(label)))
    for label, data in (points or {}).items():
        dots = hv.Scatter(_columns(data), *axes, label=label)
        layers.append(dots.opts(color=look.band(next(colours)), size=6, **_hover(label)))
    return _finish(layers, dark, title=title, **options)


def bars_plot(
    bars: Mapping[str, Mapping[str, float]],
    *,
    title: str,
    ylabel: str,
    dark: bool = False,
    **options: Any,
) -> hv.Overlay:
    """Values of named things side by side, a colour a series.

    Args:
        bars: Of each series, the value of each thing.
        title: What is seen.
        ylabel: Quantity, with its unit.
        dark: For a dark page.
        **options: HoloViews options of the whole.
    """
    look = theme.tokens(dark)
    width = 0.8 / max(len(bars), 1)
    names = list(dict.fromkeys(name for series in bars.values() for name in series))
    layers = []
    for index, (label, series) in enumerate(bars.items()):
        left = np.arange(len(names)) - 0.4 + index * width
        data = [
            (x, min(0.0, series[name]), x + width, max(0.0, series[name]), name)
            for x, name in zip(left, names, strict=True)
            if name in series
        ]
        boxes = hv.Rectangles(data, ["x", ("y", ylabel), "x1", "y1"], "name", label=label)
        layers.append(
            boxes.opts(
                color=look.band(index),
                line_alpha=0.0,
                tools=["hover"],
                hover_tooltips=[(label, "@{y1}{%.4g}"), ("", "@name")],
            )
        )
    ticks = list(enumerate(names))
    return _finish(
        layers, dark, title=title, **{"xticks": ticks, "xlabel": "", "xrotation": 30, **options}
    )


def matrix_plot(
    values: np.ndarray,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    unit: str,
    dark: bool = False,
    **options: Any,
) -> hv.Overlay:
    """A matrix as colours, blue below zero and red above.

    Args:
        values: (rows, columns); row 0 lies at the bottom.
        title: What is seen.
        xlabel: What the columns are.
        ylabel: What the rows are.
        unit: What the colours are, with its unit.
        dark: For a dark page.
        **options: HoloViews options of the whole.
    """
    rows, columns = values.shape
    reach = float(np.nanmax(np.abs(values))) or 1.0
    image = hv.Image(
        values[::-1],
        [("x", xlabel), ("y", ylabel)],
        ("value", unit),
        bounds=(-0.5, -0.5, columns - 0.5, rows - 0.5),
        label=unit,
    ).opts(
        cmap=_ramp(),
        clim=(-reach, reach),
        colorbar=True,
        clabel=unit,
        tools=["hover"],
    )
    return _finish([image], dark, title=title, **{"show_grid": False, **options})


def _columns(data: Points) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.asarray(column, float) for column in data)
    return x, y


def _hover(label: str) -> dict[str, Any]:
    return {"tools": ["hover"], "hover_tooltips": [("", label), ("", "@x{%.4g}, @y{%.4g}")]}


def _ramp() -> list[str]:
    """From blue over near-white to red."""
    ends = [np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (_LOW, _MIDDLE, _HIGH)]
    share = np.linspace(0, 1, 64)[:, None]
    arms = [ends[0] + share * (ends[1] - ends[0]), ends[1] + share * (ends[2] - ends[1])]
    return ["#{:02X}{:02X}{:02X}".format(*rgb.round().astype(int)) for rgb in np.concatenate(arms)]


def _finish(layers: Sequence[Any], dark: bool, **options: Any) -> hv.Overlay:
    shared = theme.plot_opts(dark, [number_hook]) | theme.legend_opts(dark) | {"height": HEIGHT}
    single = {} if len(layers) > 1 else {"show_legend": False}
    return hv.Overlay(layers).opts(hv.opts.Overlay(**{**shared, **single, **options}))
