"""Curves over updates, one for each value of an axis: the mean over all others, with its spread.

mean ± standard deviation over the runs that share the value
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import xarray

from bim_explorer.views import theme
from bim_explorer.views.plots.format import number_hook
from bim_explorer.views.sweeps.frame import (
    axes_of,
    checked,
    folders,
    is_drawn,
    label,
    texts,
    varied,
)
from bim_explorer.views.sweeps.links import tap_hook

#: Curves that can be told apart.
MOST_CURVES = 8


def curves(
    dataset: xarray.Dataset,
    by: str | None = None,
    value: str = "validation",
    *,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """A figure over updates for each value of an axis.

    Args:
        dataset: A sweep's.
        by: The axis; by default the first with more than one value. A random axis, or one of
            many values, is parted into as many groups as can be told apart.
        value: A variable over updates, such as "validation", "metric", "loss" or "sparsity".
        dark: For a dark page.
        hooks: HoloViews hooks, run last.

    Raises:
        ConfigError: An unknown axis or variable.
    """
    over = [str(name) for name in dataset.data_vars if "update" in dataset[name].dims]
    value = checked(value, over, "variable over updates", "")
    by = checked(by, axes_of(dataset), "axis", next(iter(varied(dataset)), ""))
    groups = _groups(dataset, by)
    colours = palette(len(groups), dark)
    layers: list[hv.Element] = []
    lines: list[hv.Element] = []
    for (name, part), colour in zip(groups, colours, strict=True):
        band, line, dots = _curve(part, value, name, colour)
        layers.append(band)
        lines += [line, dots]
    options = theme.plot_opts(dark, [number_hook, tap_hook(dark), *hooks])
    title = f"{label(value, dataset)}{f' by {label(by)}' if by else ''}"
    return hv.Overlay([*layers, *lines]).opts(
        hv.opts.Overlay(
            **options,
            **theme.legend_opts(dark),
            legend_cols=5,
            title=f"{title[:1].upper()}{title[1:]}",
            xlabel="update",
            ylabel=label(value, dataset),
        )
    )


def palette(n: int, dark: bool) -> list[str]:
    """Colours of n curves in order: told apart where they are few, a scale where they are many."""
    look = theme.tokens(dark)
    if n <= 3:
        return list(look.bands[:n])
    scale = theme.scale(dark)
    return [scale[round(i * (len(scale) - 1) / (n - 1))] for i in range(n)]


def _groups(dataset: xarray.Dataset, by: str) -> list[tuple[str, xarray.Dataset]]:
    if not by:
        return [("all runs", dataset)]
    if not is_drawn(dataset, by) and dataset[by].size <= MOST_CURVES:
        names = texts(dataset[by].values)
        return [(name, dataset.isel({by: [i]})) for i, name in enumerate(names)]
    dimension, values = str(dataset[by].dims[0]), dataset[by].values
    order = np.argsort(values, kind="stable")
    parts = [part for part in np.array_split(order, min(4, len(order))) if len(part)]
    names = [" – ".join(dict.fromkeys(texts(values[part[[0, -1]]]))) for part in parts]
    return [
        (name, dataset.isel({dimension: part})) for name, part in zip(names, parts, strict=True)
    ]


def _mean(part: xarray.Dataset, value: str) -> tuple[np.ndarray, ...]:
    """Updates at which any run has a value; mean, spread and number of the runs that have."""
    rows = part[value].transpose("update", ...).values.reshape(part.sizes["update"], -1)
    n = np.isfinite(rows).sum(axis=1)
    rows, update = rows[n > 0], part["update"].values[n > 0]
    if not len(rows):
        return update, np.empty(0), np.empty(0), n[n > 0]
    return update, np.nanmean(rows, axis=1), np.nanstd(rows, axis=1), n[n > 0]


def _curve(
    part: xarray.Dataset, value: str, name: str, colour: str
) -> tuple[hv.Spread, hv.Curve, hv.Scatter]:
    update, mean, spread, n = _mean(part, value)
    paths = [str(path) for path in part["run"].values.ravel()]
    count = len(update)
    columns = {"update": update, value: mean, "spread": spread, "n": n}
    columns |= {
        "run": [paths[0]] * count,
        "folders": [folders(paths)] * count,
        "of": [name] * count,
    }
    band = hv.Spread((update, mean, spread), "update", [value, "spread"], label=name)
    line = hv.Curve((update, mean), "update", value, label=name)
    dots = hv.Scatter(columns, "update", [value, "spread", "n", "run", "folders", "of"])
    tips = [
        ("", "@of"),
        ("update", "@update{%d}"),
        ("mean", f"@{{{value}}}{{%.4g}} ± @spread{{%.2g}}"),
    ]
    return (
        band.opts(color=colour, fill_alpha=0.18, line_alpha=0.0, show_legend=False),
        line.opts(color=colour, line_width=2),
        dots.opts(
            color=colour,
            size=6,
            fill_alpha=0.0 if count > 40 else 1.0,
            line_alpha=0.0,
            nonselection_fill_alpha=0.0 if count > 40 else 1.0,
            nonselection_line_alpha=0.0,
            show_legend=False,
            tools=["hover"],
            hover_tooltips=tips,
        ),
    )
