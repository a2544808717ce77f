"""Curves over updates: loss, metric with its validation score, sparsity with its threshold.

Every plot takes columns by name, marks, and curves of a pinned run that lie dashed behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np

from bim_explorer.views import theme
from bim_explorer.views.plots.format import metric_label
from bim_explorer.views.plots.marks import mark_lines

#: Points of a curve: updates and values.
Points = tuple[np.ndarray, np.ndarray]
EMPTY: Points = (np.empty(0), np.empty(0))

PINNED = "pinned"
CHANCE = "chance"
TARGET = "target"
RETENTION = "kept of the first task"

# Columns whose axis says more than their name.
_DIMENSIONS = {
    "sparsity": ("sparsity", "pruned share of synapses"),
    "threshold": ("threshold", "θ (|w| / RMS of live weights)"),
}


def metric_title(name: str) -> str:
    """`Bits per character` from `bits_per_character`."""
    label = metric_label(name)
    return label[0].upper() + label[1:]


def _curve(points: Points, column: str, label: str, colour: str, **options: Any) -> hv.Curve:
    curve = hv.Curve(points, "update", _DIMENSIONS.get(column, column), label=label)
    return curve.opts(color=colour, **{"line_width": 2, **options})


def _hover(label: str, column: str) -> dict[str, Any]:
    tooltips = [("update", "@{update}{%d}"), (label, f"@{{{column}}}{{%.4g}}")]
    return {"tools": ["hover"], "hover_tooltips": tooltips}


def _behind(pinned: Points | None, column: str, look: theme.Tokens) -> list[hv.Curve]:
    if pinned is None:
        return []
    return [_curve(pinned, column, PINNED, look.pinned, line_dash="dashed", line_width=1.5)]


def _finish(
    layers: Sequence[hv.Element], dark: bool, hooks: Sequence[Any], **options: Any
) -> hv.Overlay:
    return hv.Overlay(list(layers)).opts(
        hv.opts.Overlay(
            **theme.plot_opts(dark, hooks),
            **theme.legend_opts(dark),
            xlabel="update",
            **options,
        )
    )


def loss_plot(
    loss: Points,
    marks: Mapping[str, np.ndarray],
    *,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    pinned: Points | None = None,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """Training loss over updates.

    Args:
        loss: Its points.
        marks: From `mark_columns`.
        xlim: Range of updates.
        ylim: Range of the loss.
        pinned: The pinned run's loss.
        dark: For a dark page.
        hooks: HoloViews hooks, run last.
    """
    look = theme.tokens(dark)
    curve = _curve(loss, "loss", "loss", look.loss, **_hover("loss", "loss"))
    layers = [mark_lines(marks, dark), *_behind(pinned, "loss", look), curve]
    return _finish(layers, dark, hooks, title="Loss", ylabel="loss (nats)", xlim=xlim, ylim=ylim)


def metric_plot(
    name: str,
    metric: Points,
    validation: Points,
    marks: Mapping[str, np.ndarray],
    *,
    retention: Points | None = None,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    chance: float | None = None,
    pinned: Points | None = None,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """Training metric over updates, with the validation score.

    Args:
        name: The metric's name, such as `accuracy`.
        metric: Its points on the training streams.
        validation: Its points on data that training never sees.
        marks: From `mark_columns`.
        retention: Its points on held-out data of a task learned before; None if there is none.
        xlim: Range of updates.
        ylim: Range of the metric.
        chance: Level that guessing reaches, if it is known.
        pinned: The pinned run's metric.
        dark: For a dark page.
        hooks: HoloViews hooks, run last.
    """
    look = theme.tokens(dark)
    level = np.array([0.0, 1e12]), np.array([chance, chance], float)
    guess = [_curve(level, "metric", CHANCE, look.muted, line_dash="dotdash", line_width=1.25)]
    kept = _curve(retention or EMPTY, "metric", RETENTION, look.stdp, line_dash="dashed")
    line = _curve(validation, "metric", "validation", look.validation, line_width=1.5)
    dots = hv.Scatter(validation, "update", "metric", label="validation points").opts(
        color=look.validation,
        marker="circle",
        size=7,
        show_legend=False,
        **_hover("validation", "metric"),
    )
    curve = _curve(metric, "metric", "training", look.metric, **_hover("training", "metric"))
    layers = [
        mark_lines(marks, dark),
        *(guess if chance is not None else []),
        *_behind(pinned, "metric", look),
        curve,
        kept.opts(show_legend=retention is not None),
        line,
        dots,
    ]
    title = metric_title(name)
    label = metric_label(name)
    return _finish(layers, dark, hooks, title=title, ylabel=label, xlim=xlim, ylim=ylim)


def sparsity_plot(
    sparsity: Points,
    target: Points,
    threshold: Points,
    marks: Mapping[str, np.ndarray],
    *,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    threshold_lim: tuple[float, float],
    pinned: Points | None = None,
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """Share of pruned synapses over updates, its target, and the threshold on the right.

    Args:
        sparsity: Points of the share of pruned synapses.
        target: The target's step line, from `value_steps`.
        threshold: Points of the pruning threshold θ, in units of the live weights' RMS.
        marks: From `mark_columns`.
        xlim: Range of updates.
        ylim: Range of sparsity.
        threshold_lim: Range of the threshold.
        pinned: The pinned run's sparsity.
        dark: For a dark page.
        hooks: HoloViews hooks, run last.
    """
    look = theme.tokens(dark)
    layers = [
        mark_lines(marks, dark).opts(ylim=ylim),
        *_behind(pinned, "sparsity", look),
        _curve(target, "sparsity", TARGET, look.sparsity, line_dash="dashed", line_width=1.5),
        _curve(threshold, "threshold", "threshold θ (right)", look.threshold, line_width=1.5).opts(
            ylim=threshold_lim, **_hover("θ", "threshold")
        ),
        _curve(sparsity, "sparsity", "sparsity", look.sparsity).opts(
            ylim=ylim, **_hover("sparsity", "sparsity")
        ),
    ]
    return _finish(layers, dark, hooks, title="Sparsity", xlim=xlim, multi_y=True)
