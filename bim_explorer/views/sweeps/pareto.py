"""Pareto front: which runs are beaten by no other, in a score and in what it costs.

A run is on the front if no other is at least as good in both and better in one. Sparsity costs
the less the more there is of it; a firing rate, which is what spikes cost in energy, the less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas
import xarray

from bim_explorer.sweeps.scores import higher_is_better
from bim_explorer.views import theme
from bim_explorer.views.plots.format import metric_label, number_hook
from bim_explorer.views.sweeps.frame import (
    FIGURES,
    axes_of,
    checked,
    column,
    known_rows,
    label,
    runs_frame,
    texts,
)
from bim_explorer.views.sweeps.links import tap_hook

_GAINS = ("sparsity",)


def pareto(
    dataset: xarray.Dataset,
    value: str = "validation",
    against: str = "sparsity",
    *,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """All runs, the front among them.

    Args:
        dataset: A sweep's.
        value: The score: "validation", "metric" or "loss".
        against: "sparsity" or "firing_rate".
        dark: For a dark page.
        hooks: HoloViews hooks, run last.

    Raises:
        ConfigError: An unknown figure.
    """
    value = checked(value, FIGURES, "figure", "")
    against = checked(against, FIGURES, "figure", "")
    frame = runs_frame(dataset)
    frame = known_rows(frame, value, against)
    front = _front(frame, value, against, str(dataset.attrs.get("metric", "")))
    columns = _columns(frame, value, against, axes_of(dataset))
    look = theme.tokens(dark)
    tips = [("", "@about"), (against, f"@{{{against}}}{{%.4g}}")]
    tips += [(value, f"@{{{value}}}{{%.4g}}"), ("run", "@run")]
    layers = [
        _dots(columns, ~front, "runs", look.gradient, tips).opts(size=7, fill_alpha=0.35),
        _line(columns, front, look),
        _dots(columns, front, "not beaten by any other", look.stdp, tips).opts(size=10),
    ]
    options = theme.plot_opts(dark, [number_hook, tap_hook(dark), *hooks])
    return hv.Overlay(layers).opts(
        hv.opts.Overlay(
            **options,
            **theme.legend_opts(dark),
            title=f"{_capital(label(value, dataset))} against {metric_label(against)}",
            xlabel=label(against),
            ylabel=label(value, dataset),
        )
    )


def _front(frame: pandas.DataFrame, value: str, against: str, metric: str) -> np.ndarray:
    high = higher_is_better(metric if value in ("validation", "metric") else value)
    gain = column(frame, value) * (1.0 if high else -1.0)
    thrift = column(frame, against) * (1.0 if against in _GAINS else -1.0)
    return on_front(gain, thrift)


def _columns(
    frame: pandas.DataFrame, value: str, against: str, axes: list[str]
) -> dict[str, np.ndarray]:
    about = [", ".join(f"{n} {texts([row[n]])[0]}" for n in axes) for _, row in frame.iterrows()]
    known = {name: column(frame, name) for name in (against, value, "run")}
    return {**known, "about": np.array(about, object)}


def on_front(gain: np.ndarray, thrift: np.ndarray) -> np.ndarray:
    """Which points no other beats; more is better in both.

    Example:
        >>> on_front(np.array([1.0, 2.0, 1.5]), np.array([2.0, 1.0, 0.5])).tolist()
        [True, True, False]
    """
    at_least = (gain >= gain[:, None]) & (thrift >= thrift[:, None])
    better = (gain > gain[:, None]) | (thrift > thrift[:, None])
    return ~(at_least & better).any(axis=1)


def _line(columns: dict[str, np.ndarray], front: np.ndarray, look: theme.Tokens) -> hv.Curve:
    x, y = list(columns)[:2]
    order = np.argsort(columns[x][front], kind="stable")
    points = columns[x][front][order], columns[y][front][order]
    return hv.Curve(points, x, y, label="front").opts(
        color=look.stdp, line_width=1.5, show_legend=False
    )


def _dots(
    columns: dict[str, np.ndarray], which: np.ndarray, name: str, colour: str, tips: Any
) -> hv.Scatter:
    x, *rest = columns
    picked = {key: values[which] for key, values in columns.items()}
    return hv.Scatter(picked, x, rest, label=name).opts(
        color=colour,
        line_alpha=0.0,
        marker="circle",
        nonselection_alpha=0.3,
        tools=["hover"],
        hover_tooltips=tips,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
