"""Pictures of the figures in `benchmarks/figures`: Bokeh plots, drawn by a headless Chromium.

Without Chromium there is one loud line and no picture.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bokeh.embed import file_html
from bokeh.layouts import column, row
from bokeh.models import UIElement
from bokeh.plotting import figure
from bokeh.resources import INLINE
from playwright.sync_api import sync_playwright

Rows = list[dict[str, Any]]
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#888888")
#: Plots side by side.
IN_A_ROW = 3
FLAGS = ["--no-sandbox", "--disable-gpu"]


def bars(rows: Rows, label: Callable[[dict[str, Any]], str], value: str, title: str) -> UIElement:
    """Horizontal bars, the first row on top; logarithmic where they differ by much."""
    shown = [r for r in rows if r.get(value)]
    names = [label(r) for r in shown]
    values = [r[value] for r in shown]
    log = max(values) > 20 * min(values)
    low = min(values) / 2 if log else 0
    plot = figure(
        y_range=names[::-1],
        x_range=(low, 1.1 * max(values)),
        x_axis_type="log" if log else "linear",
        title=title,
        width=620,
        height=60 + 26 * len(names),
        toolbar_location=None,
    )
    plot.hbar(y=names, left=low, right=values, height=0.7, color=COLOURS[0])
    return plot


def lines(
    rows: Rows, x: str, y: str, series: str, title: str, log: tuple[bool, bool] = (True, True)
) -> UIElement:
    """A line for each series."""
    kinds = ["log" if on else "linear" for on in log]
    plot = figure(
        title=title,
        width=430,
        height=320,
        toolbar_location=None,
        x_axis_type=kinds[0],
        y_axis_type=kinds[1],
    )
    plot.xaxis.axis_label, plot.yaxis.axis_label = x.replace("_", " "), y.replace("_", " ")
    grouped: dict[str, Rows] = defaultdict(list)
    for entry in rows:
        grouped[str(entry[series])].append(entry)
    for index, (name, entries) in enumerate(grouped.items()):
        entries.sort(key=lambda entry: entry[x])
        at, values = [e[x] for e in entries], [e[y] for e in entries]
        colour = COLOURS[index % len(COLOURS)]
        plot.line(at, values, color=colour, legend_label=name, line_width=2)
        plot.scatter(at, values, color=colour, legend_label=name, size=6)
    legend = plot.legend[0]
    legend.orientation, legend.border_line_alpha, legend.padding = "horizontal", 0.0, 0
    plot.add_layout(legend, "above")
    return plot


def picture_of(name: str, rows: Rows) -> Iterable[UIElement]:
    """The plots of one benchmark; none for those that a table says best."""
    if name == "engine":
        whole = [r for r in rows if r["steps_per_s"]]
        yield bars(whole, lambda r: f"{r['work']}, S = {r['S']}", "steps_per_s", "steps/s")
    elif name == "step":
        yield bars(rows, lambda r: r["work"], "steps_per_s", "one block, B = 1: steps/s")
    elif name == "stdp":
        label = "STDP 256 x 256 at 5 %: steps/s"
        yield bars(rows, lambda r: f"{r['work']}, B = {r['B']}", "steps_per_s", label)
    elif name == "peers":
        for part in dict.fromkeys(r["comparison"] for r in rows):
            some = [r for r in rows if r["comparison"] == part]
            yield bars(some, lambda r: r["contender"], "steps_per_s", f"{part}: steps/s")
    elif name == "fidelity":
        for blocks in (1, 2):
            some = [r for r in rows if r["blocks"] == blocks]
            title = f"{blocks} block(s): cosine to BPTT"
            yield lines(some, "us_per_step", "cosine", "credit", title, (True, False))
    elif name == "scaling":
        axes = list(dict.fromkeys(r["axis"] for r in rows))
        plots = [_growth([r for r in rows if r["axis"] == axis], axis) for axis in axes]
        starts = range(0, len(plots), IN_A_ROW)
        yield column(*(row(*plots[first : first + IN_A_ROW]) for first in starts))
    elif name == "pruning":
        title = "influences of all over those of the living"
        yield lines(rows, "pruned", "all_over_living", "learn", title, (False, False))
        title = "exact update over truncated"
        yield lines(rows, "pruned", "exact_over_truncated", "learn", title, (False, False))
    elif name == "event":
        some = [r for r in rows if r["work"] == "curve"]
        biggest = max((r["M_and_N"] for r in some), default=0)
        yield lines(some, "rate", "dense_over_event", "M_and_N", "event-driven: times faster")
        yield lines(some, "M_and_N", "us_per_step", "rate", f"µs a step, up to {biggest}")


def _growth(rows: Rows, axis: str) -> UIElement:
    """Time a step of either update over one size; linear where the size may be 0."""
    log = all(r["value"] for r in rows)
    points = [
        {axis: r["value"], "us_per_step": r[f"{credit}_us_per_step"], "credit": credit}
        for credit in ("exact", "truncated")
        for r in rows
    ]
    return lines(points, axis, "us_per_step", "credit", f"µs a step over {axis}", (log, True))


def draw(folder: Path) -> None:
    """Draw every benchmark whose figures lie in the folder."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in (os.environ.get("BIM_CHROMIUM"), *names) if name)
    chromium = next(filter(None, found), None)
    if chromium is None:
        print("!!! NO PICTURES: no Chromium; set BIM_CHROMIUM to a browser", file=sys.stderr)
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        for path in sorted(folder.glob("*.json")):
            plots = list(picture_of(path.stem, json.loads(path.read_text())["rows"]))
            if plots:
                layout = (column if len(plots) > 2 else row)(*plots)
                page.set_content(file_html(layout, INLINE, path.stem))
                page.wait_for_function("Bokeh.documents[0]?.is_idle")
                page.locator(".bk-Row, .bk-Column").first.screenshot(
                    path=str(path.with_suffix(".png"))
                )
        browser.close()
