"""The one theme file: colours, fonts, sizes, the page's CSS, and what every plot looks like.

Colours are Okabe and Ito's, which readers with any colour vision tell apart; each role (loss,
metric, a band of the raster) has one that stands out on a light and one on a dark card.
Nothing here draws: pages take `theme_config`, `variables` and `stylesheet`, plots take `tokens`
and `plot_opts`.

Source: Okabe & Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from bokeh.palettes import Cividis256

#: Style sheets and scripts of the page.
_ASSETS = Path(__file__).parent / "assets"

ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"

FONT = 'Roboto, "Helvetica Neue", Helvetica, Arial, "Noto Sans", sans-serif'

#: Sizes [px] that pages and plots share.
GAP = 12
RADIUS = 10
SIDEBAR_WIDTH = 320
RASTER_HEIGHT = 360
PLOT_HEIGHT = 240
PLOT_MIN_WIDTH = 280
#: Font size [px] inside a plot, from which ems count.
PLOT_FONT = 12
#: Two plots stand side by side from this width of the page on.
NARROW = 900
#: Below this width of the page the sidebar is a drawer over it.
DRAWER = 700


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one look, light or dark, is made of.

    Attributes:
        page: Behind everything.
        card: Behind a plot or a figure of merit.
        text: What is read first.
        muted: Labels, ticks, units.
        line: Grids, borders, zero lines.
        primary: Buttons, sliders, links.
        good: A state that is as it should be.
        warning: A state to look at.
        error: A state that needs the user.
        loss: The loss curve.
        metric: The training metric's curve.
        validation: The validation score's points and line.
        sparsity: The sparsity curve and its target.
        threshold: The pruning threshold θ.
        window: The STDP window as configured.
        stdp: STDP part of a synapse's change.
        gradient: Gradient part of a synapse's change.
        total: Whole change of a synapse.
        mark: Where a parameter was changed.
        pinned: A pinned run behind the live one.
        sweep: The raster's write position.
        bands: Raster rows: the input, then the blocks in turn.
    """

    page: str
    card: str
    text: str
    muted: str
    line: str
    primary: str
    good: str
    warning: str
    error: str
    loss: str
    metric: str
    validation: str
    sparsity: str
    threshold: str
    window: str
    stdp: str
    gradient: str
    total: str
    mark: str
    pinned: str
    sweep: str
    bands: tuple[str, ...]

    def band(self, index: int) -> str:
        """Colour of band `index` of the raster, counted from the input."""
        return self.bands[index % len(self.bands)]


LIGHT = Tokens(
    page="#F3F5F7",
    card="#FFFFFF",
    text="#1B1F24",
    muted="#57606A",
    line="#D5DAE0",
    primary=BLUE,
    good="#007A59",
    warning="#A66F00",
    error="#B84A00",
    loss=BLUE,
    metric=GREEN,
    validation=VERMILLION,
    sparsity=VERMILLION,
    threshold=BLUE,
    window=VERMILLION,
    stdp=ORANGE,
    gradient=BLUE,
    total=GREEN,
    mark="#8C959F",
    pinned="#6E7781",
    sweep="#1B1F24",
    bands=(BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY),
)

DARK = Tokens(
    page="#101214",
    card="#1B1E22",
    text="#F0F2F4",
    muted="#A7B0BA",
    line="#3A4048",
    primary="#4DA3DC",
    good="#2CC295",
    warning=ORANGE,
    error="#FF8A4C",
    loss=SKY,
    metric="#2CC295",
    validation=ORANGE,
    sparsity=ORANGE,
    threshold=SKY,
    window=ORANGE,
    stdp=YELLOW,
    gradient=SKY,
    total="#2CC295",
    mark="#7D8792",
    pinned="#9AA4AF",
    sweep="#F0F2F4",
    bands=(SKY, ORANGE, "#2CC295", PURPLE, YELLOW, VERMILLION),
)


#: Colours of the page alone.
_NOT_DRAWN = ("page", "card", "primary", "good", "warning", "error")


def tokens(dark: bool) -> Tokens:
    """The look of the dark or the light page."""
    return DARK if dark else LIGHT


@cache
def colours_in(dark: bool) -> dict[str, str]:
    """Every colour of the other look, and the one that has its place in this one."""
    other, this = tokens(not dark), tokens(dark)
    twins: dict[str, str] = {}
    for field in fields(Tokens):
        if field.name not in _NOT_DRAWN:
            old, new = getattr(other, field.name), getattr(this, field.name)
            twins.update(zip(old, new, strict=True) if field.name == "bands" else [(old, new)])
    return twins


def _palette(look: Tokens) -> dict[str, Any]:
    return {
        "primary": {"main": look.primary},
        "secondary": {"main": look.metric},
        "success": {"main": look.good},
        "warning": {"main": look.warning},
        "error": {"main": look.error},
        "background": {"default": look.page, "paper": look.card},
        "text": {"primary": look.text, "secondary": look.muted},
        "divider": look.line,
    }


def theme_config() -> dict[str, Any]:
    """What panel-material-ui's `Page(theme_config=…)` takes, for both looks."""
    shared = {
        "typography": {"fontFamily": FONT},
        "shape": {"borderRadius": RADIUS},
        "breakpoints": {"values": {"xs": 0, "sm": DRAWER, "md": 900, "lg": 1200, "xl": 1536}},
    }
    return {
        "light": {**shared, "palette": _palette(LIGHT)},
        "dark": {**shared, "palette": _palette(DARK)},
    }


def plot_opts(dark: bool, hooks: Sequence[Any] = ()) -> dict[str, Any]:
    """HoloViews options that every plot shares: see-through, calm, in the page's font."""
    look = tokens(dark)
    return {
        "responsive": True,
        "height": PLOT_HEIGHT,
        "min_width": PLOT_MIN_WIDTH,
        "show_grid": True,
        "toolbar": "above",
        "default_tools": ["save", "pan", "box_zoom", "xwheel_zoom", "reset"],
        "active_tools": [],
        "fontsize": {"title": "13px", "labels": "12px", "ticks": "11px", "legend": "11px"},
        "hooks": list(hooks),
        "backend_opts": {
            "plot.background_fill_alpha": 0.0,
            "plot.border_fill_alpha": 0.0,
            "plot.outline_line_color": None,
            "plot.output_backend": "canvas",
            "plot.min_border_left": 72,
            "plot.min_border_right": 20,
            "plot.toolbar.active_drag": None,
            "plot.toolbar.active_scroll": None,
            "plot.toolbar.logo": None,
            "plot.toolbar.autohide": True,
            "plot.title.text_color": look.text,
            "plot.title.text_font": FONT,
            "plot.title.text_font_style": "normal",
            "plot.grid.grid_line_color": look.line,
            "plot.grid.grid_line_alpha": 0.5,
        },
    }


def scale(dark: bool) -> list[str]:
    """Colours from low to high (cividis, the same to any colour vision), all seen on a card."""
    return list(Cividis256[72:] if dark else Cividis256[:216])


def legend_opts(dark: bool) -> dict[str, Any]:
    """HoloViews options of a legend in one row above the data, never over it."""
    look = tokens(dark)
    return {
        "show_legend": True,
        "legend_position": "top",
        "legend_opts": {
            "orientation": "horizontal",
            "background_fill_alpha": 0.0,
            "border_line_alpha": 0.0,
            "label_text_color": look.text,
            "label_text_font": FONT,
            "padding": 0,
            "margin": 0,
            "click_policy": "hide",
            # The legend is HTML and takes its size from the page rather than from its font.
            "stylesheets": [f":host {{ font-size: {PLOT_FONT}px !important; }}"],
        },
    }


#: Looks of the page's own parts, as keyword arguments.
STACK: dict[str, Any] = {"margin": 0, "sizing_mode": "stretch_width"}
TEXT: dict[str, Any] = {"margin": (4, 2), "sizing_mode": "stretch_width"}
MAIN: dict[str, Any] = {"margin": (GAP, GAP, 2 * GAP, GAP), "sizing_mode": "stretch_width"}
SIDEBAR: dict[str, Any] = {"margin": (GAP, GAP, GAP, GAP), "sizing_mode": "stretch_width"}
BAR: dict[str, Any] = {"margin": 0, "gap": "8px", "align_items": "center"}
BUTTON: dict[str, Any] = {"variant": "outlined", "size": "small", "margin": 0, "height": 34}
MAIN_BUTTON: dict[str, Any] = {**BUTTON, "variant": "contained"}
TOGGLE: dict[str, Any] = {**MAIN_BUTTON, "width": 96}
SELECT: dict[str, Any] = {
    "size": "small",
    "margin": (4, 0, 8, 0),
    "sizing_mode": "stretch_width",
    "sx": {
        "& .MuiSelect-select": {
            "whiteSpace": "normal !important",
            "fontSize": 14,
            "lineHeight": 1.35,
        }
    },
}
PACE: dict[str, Any] = {"size": "small", "width": 104, "margin": 0}


def variables() -> str:
    """The colours and sizes that the style sheets use, for a light and a dark page."""
    return "\n".join(f".mui-{name} {{ {_variables(look)} }}" for name, look in _LOOKS.items())


def _variables(look: Tokens) -> str:
    values = {
        **{name: getattr(look, name) for name in _SHARED},
        "bar": BLUE if look is LIGHT else "#0B4A73",
        "rate": look.band(1),
        "well": f"color-mix(in srgb, {look.text} 6%, transparent)",
        "rail": f"color-mix(in srgb, {look.text} 22%, transparent)",
        "halo": f"color-mix(in srgb, {look.primary} 14%, transparent)",
        "gap": f"{GAP}px",
        "radius": f"{RADIUS}px",
        "font": FONT,
    }
    return " ".join(f"--bim-{name}: {value};" for name, value in values.items())


_LOOKS = {"light": LIGHT, "dark": DARK}
_SHARED = (
    *("page", "card", "text", "muted", "line", "primary", "good", "warning", "error"),
    *("loss", "metric", "sparsity"),
)


@cache
def stylesheet(name: str) -> str:
    """A style sheet of `assets/`, for the `stylesheets` of a component."""
    return (_ASSETS / f"{name}.css").read_text(encoding="utf-8")
