"""Parallel coordinates: a line a run, across its values on the axes to the figures it reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas
import xarray
from bokeh.core.properties import value as constant

from bim_explorer.views import theme
from bim_explorer.views.plots.format import number, number_hook
from bim_explorer.views.sweeps.frame import (
    FIGURES,
    checked,
    column,
    known_rows,
    label,
    runs_frame,
    texts,
    varied,
)
from bim_explorer.views.sweeps.heat import colorbar, is_log, limits
from bim_explorer.views.sweeps.links import tap_hook

#: Values of an axis that are all written at it.
_MOST_TEXTS = 6


def parallel_coordinates(
    dataset: xarray.Dataset,
    value: str = "validation",
    figures: Sequence[str] = ("sparsity", "firing_rate"),
    *,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """All runs at once.

    Args:
        dataset: A sweep's.
        value: Figure that colours the lines, and the last of the upright axes.
        figures: Further figures with an upright axis of their own.
        dark: For a dark page.
        hooks: HoloViews hooks, run last.

    Raises:
        ConfigError: An unknown figure.
    """
    names = [checked(name, FIGURES, "figure", "") for name in (*figures, value)]
    frame = runs_frame(dataset)
    frame = known_rows(frame, *names).sort_values(value)
    columns = [*varied(dataset), *dict.fromkeys(name for name in names)]
    places = {name: _place(column(frame, name)) for name in columns}
    heights = np.column_stack([places[name][0] for name in columns])
    runs = _runs(frame, columns, heights, value, dark)
    marks = [(i, y, text) for i, name in enumerate(columns) for y, text in places[name][1]]
    look = theme.tokens(dark)
    options = theme.plot_opts(dark, [number_hook, tap_hook(dark), *hooks])
    return hv.Overlay([_rails(len(columns), look), runs, _texts(marks, look)]).opts(
        hv.opts.Overlay(
            **{**options, "show_grid": False},
            title="Every run, from its values to what it reached",
            xlabel="",
            ylabel="",
            yaxis=None,
            xticks=[(i, _short(name, dataset)) for i, name in enumerate(columns)],
            xlim=(-0.3, len(columns) - 0.45),
            ylim=(-0.13, 1.13),
        )
    )


def _runs(
    frame: pandas.DataFrame, columns: list[str], heights: np.ndarray, value: str, dark: bool
) -> hv.Contours:
    at = np.arange(len(columns))
    lines = [
        {"axis": at, "height": row, "value": reached, "run": run, "about": _about(columns, entries)}
        for row, reached, run, (_, entries) in zip(
            heights, column(frame, value), column(frame, "run"), frame.iterrows(), strict=True
        )
    ]
    return hv.Contours(lines, ["axis", "height"], ["value", "run", "about"]).opts(
        color="value",
        cmap=theme.scale(dark),
        clim=limits(column(frame, value)),
        colorbar=True,
        clabel="",
        colorbar_opts=colorbar(dark),
        line_width=1.6,
        alpha=0.6,
        nonselection_alpha=0.08,
        tools=["hover"],
        hover_tooltips=[("", "@about"), ("run", "@run")],
    )


def _rails(n: int, look: theme.Tokens) -> hv.Segments:
    rails = hv.Segments(
        [(i, 0, i, 1) for i in range(n)], ["axis", "height", "axis_end", "height_end"]
    )
    return rails.opts(color=look.muted, line_width=1, line_alpha=0.6)


def _texts(marks: list[tuple[int, float, str]], look: theme.Tokens) -> hv.Labels:
    return hv.Labels(marks, ["axis", "height"], "text").opts(
        text_color=look.text,
        text_font=constant(theme.FONT),
        text_font_size="11px",
        text_align="left",
        text_baseline="middle",
        xoffset=0.03,
        hooks=[_behind_texts(look)],
    )


def _behind_texts(look: theme.Tokens) -> Any:
    """Lines do not run through what is written over them."""

    def hook(plot: Any, element: Any) -> None:
        glyph = plot.handles["glyph"]
        glyph.update(background_fill_color=look.card, background_fill_alpha=0.8, padding=1)

    return hook


def _place(values: np.ndarray) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Heights of the runs on an upright axis, from 0 to 1, and what is written at it."""
    levels = sorted(set(values.tolist()))
    few = len(levels) <= _MOST_TEXTS
    if not np.issubdtype(values.dtype, np.floating):
        height = {level: i / max(len(levels) - 1, 1) for i, level in enumerate(levels)}
        shown = zip(height.values(), texts(levels), strict=True)
        return np.array([height[value] for value in values.tolist()]), _ends(list(shown), few)
    numbers = np.log(values) if is_log(values) else values
    low, high = limits(numbers)
    heights = (numbers - low) / (high - low)
    at = {level: float(heights[values == level][0]) for level in levels}
    return heights, _ends([(at[level], number(level)) for level in levels], few)


def _ends(marks: list[tuple[float, str]], few: bool) -> list[tuple[float, str]]:
    return marks if few or not marks else [marks[0], marks[-1]]


def _about(columns: list[str], row: Any) -> str:
    return ", ".join(f"{name} {texts([row[name]])[0]}" for name in columns)


def _short(name: str, dataset: xarray.Dataset) -> str:
    return label(name, dataset).split(" (")[0].replace(" ", "\n")
