"""A plot's heading as HTML: its title, and a legend that wraps and never lies over data.

A Bokeh legend inside a plot is drawn anew whenever any column changes, which costs a live plot
more than its data do; this one is made once, from the elements' own labels and colours.
"""

from __future__ import annotations

from html import escape
from typing import Any

import holoviews as hv

_DASHES = {"dashed": "5 3", "dotted": "1.5 2.5", "dotdash": "1.5 2.5 5 2.5"}
_SHAPES = {
    "circle": '<circle cx="9" cy="6" r="3.5" fill="{colour}"/>',
    "square": '<rect x="5.5" y="2.5" width="7" height="7" fill="{colour}"/>',
    "triangle": '<path d="M9 1.8 L13 9.5 L5 9.5 Z" fill="{colour}"/>',
}
_LINE = '<path d="M0 6 H18" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>'


def heading_html(overlay: hv.Overlay) -> str:
    """Title and legend of a plot; an element with the option `show_legend=False` is left out."""
    options = _options(overlay, "plot")
    shown = [*overlay] if options.get("show_legend", True) else []
    entries = "".join(_entry(element) for element in reversed(shown) if _listed(element))
    legend = f'<ul class="bim-legend">{entries}</ul>' if entries else ""
    return f'<div class="bim-heading"><h3>{escape(options["title"])}</h3>{legend}</div>'


def _options(element: Any, group: str) -> dict[str, Any]:
    return hv.Store.lookup_options("bokeh", element, group).kwargs


def _listed(element: hv.Element) -> bool:
    return bool(element.label) and _options(element, "plot").get("show_legend", True)


def _entry(element: hv.Element) -> str:
    style = _options(element, "style")
    shape = _SHAPES.get(style.get("marker", ""), _LINE).format(
        colour=style["color"],
        width=style.get("line_width", 2),
        dash=_DASHES.get(style.get("line_dash", ""), "none"),
    )
    key = f'<svg width="18" height="12" aria-hidden="true">{shape}</svg>'
    return f"<li>{key}{escape(element.label)}</li>"
