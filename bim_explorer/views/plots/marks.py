"""Marks: a thin vertical line wherever a parameter was changed, the change's text on hover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import holoviews as hv
import numpy as np

from bim_explorer.store.snapshot import Mark
from bim_explorer.views import theme
from bim_explorer.views.plots.format import change_text

LABEL = "change"


def mark_columns(marks: Iterable[Mark], start: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Updates and texts of the marks.

    Args:
        marks: Live changes in the order in which they took effect.
        start: Values in force before the first of them, as far as they are known.
    """
    known = dict(start)
    updates, texts = [], []
    for mark in marks:
        updates.append(mark.update)
        texts.append(change_text(mark.update, mark.values, known))
        known.update(mark.values)
    return {"update": np.asarray(updates, float), "text": np.asarray(texts, object)}


def value_steps(
    marks: Iterable[Mark], name: str, start: float, end: float
) -> tuple[np.ndarray, np.ndarray]:
    """The history of parameter `name` as a step line, up to update `end`.

    Args:
        marks: Live changes in order.
        name: A numeric parameter.
        start: Its value before the first mark.
        end: Update up to which the line is drawn.
    """
    x, y = [0.0], [float(start)]
    for mark in marks:
        if name in mark.values:
            x += [mark.update, mark.update]
            y += [y[-1], float(mark.values[name])]
    return np.array([*x, max(end, x[-1])]), np.array([*y, y[-1]])


def mark_lines(columns: Mapping[str, np.ndarray], dark: bool) -> hv.VLines:
    """The marks as an element that goes behind a plot over updates."""
    look = theme.tokens(dark)
    lines = hv.VLines((columns["update"], columns["text"]), "update", "text", label=LABEL)
    return lines.opts(
        color=look.mark,
        line_width=1.25,
        line_dash="dotted",
        tools=["hover"],
        hover_tooltips=[("", "@text")],
    )
