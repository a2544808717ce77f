"""Heat map: a figure over two axes, the mean over all others.

Random axes have no grid: their runs are dots at their values, coloured in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas
import xarray
from bokeh.core.properties import value as constant

from bim_explorer.core.errors import ConfigError
from bim_explorer.views import theme
from bim_explorer.views.plots.format import number, number_hook
from bim_explorer.views.sweeps.frame import (
    FIGURES,
    axes_of,
    checked,
    column,
    folders,
    is_drawn,
    known_rows,
    label,
    runs_frame,
    texts,
    varied,
)
from bim_explorer.views.sweeps.links import tap_hook

#: Cells that have room for their number.
_MOST_TEXTS = 80


def heat_map(
    dataset: xarray.Dataset,
    x: str | None = None,
    y: str | None = None,
    value: str = "validation",
    *,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """A final figure over two axes.

    Args:
        dataset: A sweep's.
        x: Axis to the right; by default the first with more than one value.
        y: Axis upwards; by default the second.
        value: "validation", "metric", "loss", "sparsity" or "firing_rate".
        dark: For a dark page.
        hooks: HoloViews hooks, run last.

    Raises:
        ConfigError: An unknown axis or figure, or a sweep of fewer than two axes.
    """
    value = checked(value, FIGURES, "figure", "validation")
    x, y = two_axes(dataset, x, y)
    frame = runs_frame(dataset)
    drawn = is_drawn(dataset, x) or is_drawn(dataset, y)
    layers = _dots(frame, x, y, value, dark) if drawn else _cells(frame, x, y, value, dark)
    logs = {f"log{side}": is_log(column(frame, name)) for side, name in (("x", x), ("y", y))}
    options = theme.plot_opts(dark, [number_hook, tap_hook(dark), *hooks])
    return hv.Overlay(layers).opts(
        hv.opts.Overlay(
            **{**options, "show_grid": drawn},
            **(logs if drawn else {}),
            title=f"{_sentence(label(value, dataset))}, {_of(dataset, x, y)}",
            xlabel=label(x),
            ylabel=label(y),
        )
    )


def two_axes(dataset: xarray.Dataset, x: str | None, y: str | None) -> tuple[str, str]:
    """The axes asked for, those that are missing chosen.

    Raises:
        ConfigError: An unknown axis, or a sweep of fewer than two.
    """
    known = axes_of(dataset)
    wanted = [checked(name, known, "axis", "") for name in (x, y) if name is not None]
    free = [name for name in [*varied(dataset), *known] if name not in wanted]
    x = x or (free.pop(0) if free else "")
    y = y or next((name for name in free if name != x), "")
    if x == y:
        raise ConfigError(f"a heat map wants two axes, got {x} twice")
    return checked(x, known, "axis", ""), checked(y, known, "axis", "")


def grouped(frame: pandas.DataFrame, by: list[str], value: str) -> pandas.DataFrame:
    """Mean, spread, number and folders of the runs that share their values of `by`."""
    known = known_rows(frame, value)
    groups = known.groupby(by, sort=True)
    return pandas.DataFrame(
        {
            value: groups[value].mean(),
            "spread": groups[value].std(ddof=0),
            "n": groups[value].size(),
            "run": groups["run"].first(),
            "folders": groups["run"].agg(folders),
        }
    ).reset_index()


def _cells(frame: pandas.DataFrame, x: str, y: str, value: str, dark: bool) -> list[hv.Element]:
    cells = grouped(frame, [x, y], value)
    levels = {name: sorted(set(column(frame, name).tolist())) for name in (x, y)}
    shown = {name: dict(zip(found, texts(found), strict=True)) for name, found in levels.items()}
    columns = {
        x: [shown[x][entry] for entry in column(cells, x)],
        y: [shown[y][entry] for entry in column(cells, y)],
        **{name: cells[name] for name in (value, "spread", "n", "run", "folders")},
    }
    kdims = [hv.Dimension(name, values=texts(levels[name])) for name in (x, y)]
    spread = hv.Dimension("spread", value_format=lambda entry: number(entry, 2))
    heat = hv.HeatMap(columns, kdims, [value, spread, "n", "run", "folders"])
    look = theme.tokens(dark)
    heat = heat.opts(
        cmap=theme.scale(dark),
        clim=limits(column(cells, value)),
        colorbar=True,
        clabel="",
        colorbar_opts=colorbar(dark),
        line_color=look.card,
        line_width=2,
        nonselection_alpha=1.0,
        tools=["hover"],
        hover_tooltips=[
            (label(x), f"@{{{x}}}"),
            (label(y), f"@{{{y}}}"),
            (f"mean {value}", "@zvalues{%.4g} ± @spread, of @n"),
            ("runs", "@folders"),
        ],
    )
    if len(cells) > _MOST_TEXTS:
        return [heat]
    low, high = limits(column(cells, value))
    bright = (column(cells, value) - low) / (high - low) > (0.35 if dark else 0.55)
    ink = ["#1B1F24" if is_bright else "#FFFFFF" for is_bright in bright]
    text = [number(entry) for entry in column(cells, value)]
    columns = {x: columns[x], y: columns[y], "text": text, "ink": ink}
    font = {"text_font_size": "12px", "text_font": constant(theme.FONT)}
    numbers = hv.Labels(columns, kdims, ["text", "ink"])
    return [heat, numbers.opts(text_color="ink", **font)]


def _dots(frame: pandas.DataFrame, x: str, y: str, value: str, dark: bool) -> list[hv.Element]:
    known = known_rows(frame, value)
    columns = {name: known[name] for name in (x, y, value, "run")}
    dots = hv.Points(columns, [x, y], [value, "run"])
    return [
        dots.opts(
            color=value,
            cmap=theme.scale(dark),
            clim=limits(column(known, value)),
            colorbar=True,
            clabel="",
            colorbar_opts=colorbar(dark),
            size=11,
            line_color=theme.tokens(dark).card,
            nonselection_alpha=0.4,
            tools=["hover"],
            hover_tooltips=[
                (label(x), f"@{{{x}}}{{%.4g}}"),
                (label(y), f"@{{{y}}}{{%.4g}}"),
                (value, f"@{{{value}}}{{%.4g}}"),
                ("run", "@run"),
            ],
        )
    ]


def limits(values: np.ndarray) -> tuple[float, float]:
    """The range of a colour scale, never empty."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def colorbar(dark: bool) -> dict[str, Any]:
    """The look of a colour bar."""
    look = theme.tokens(dark)
    return {
        "background_fill_alpha": 0.0,
        "major_label_text_color": look.muted,
        "major_tick_line_color": None,
        "bar_line_color": None,
        "width": 10,
        "padding": 6,
    }


def is_log(values: np.ndarray) -> bool:
    """Whether values span orders of magnitude."""
    if not np.issubdtype(values.dtype, np.number) or values.min() <= 0:
        return False
    return bool(values.max() / values.min() > 50)


def _of(dataset: xarray.Dataset, *shown: str) -> str:
    others = [name for name in varied(dataset) if name not in shown]
    return f"mean over {' and '.join(others)}" if others else "run by run"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
