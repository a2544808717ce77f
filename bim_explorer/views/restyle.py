"""Another look for a plot that is already drawn: every colour gives way to its twin.

Drawing a plot anew takes HoloViews hundreds of milliseconds; this takes a few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bokeh.model import Model
from bokeh.models import ColorMapper, GlyphRenderer, Grid, Plot

from bim_explorer.views import theme

_HEX = re.compile(r"#[0-9A-Fa-f]{6}\b")


def restyle_text(text: str, dark: bool) -> str:
    """HTML with its colours those of the dark or the light look."""
    twins = theme.colours_in(dark)
    return _HEX.sub(lambda match: twins.get(match[0], match[0]), text)


def restyle_figure(figure: Plot, dark: bool) -> None:
    """Give glyphs, mappers and grids of a figure the colours of the dark or the light look."""
    twins = theme.colours_in(dark)
    for model in _coloured(figure):
        for name in model.properties():
            if name.endswith("_color") or name == "palette":
                _exchange(model, name, twins)
    for renderer in figure.renderers:
        if isinstance(renderer, GlyphRenderer):
            _exchange_columns(renderer.data_source, twins)


def _coloured(figure: Plot) -> Iterator[Model]:
    for renderer in figure.renderers:
        if isinstance(renderer, GlyphRenderer):
            glyph = renderer.glyph
            yield glyph
            mapper = getattr(glyph, "color_mapper", None)
            if isinstance(mapper, ColorMapper):
                yield mapper
    yield from (part for part in figure.center if isinstance(part, Grid))


def _exchange(model: Model, name: str, twins: dict[str, str]) -> None:
    value = getattr(model, name)
    if isinstance(value, str) and value in twins:
        setattr(model, name, twins[value])
    elif name == "palette":
        setattr(model, name, [twins.get(colour, colour) for colour in value])


def _exchange_columns(source: Any, twins: dict[str, str]) -> None:
    for name, values in source.data.items():
        if len(values) and isinstance(values[0], str) and values[0].startswith("#"):
            source.data[name] = [twins.get(colour, colour) for colour in values]
