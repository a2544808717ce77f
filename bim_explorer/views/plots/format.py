"""How numbers and changes are written on plots: never "0" for a small number.

Python text for titles, hovers and screen readers; Bokeh formatters, made anew for every
rendering since a model belongs to one document, for axes and tooltips.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from bokeh.models import (
    BasicTicker,
    CategoricalTicker,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
)

THIN_SPACE = "\u202f"
MINUS = "\u2212"

# No `toLocaleString`: an axis is formatted at every paint, and that call is slow.
_TICK_CODE = """
const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : Math.abs(tick)
if (Math.abs(tick) < step * 1e-6 || tick == 0) return "0"
const small = Math.abs(tick) < 1e-4 || Math.abs(tick) >= 1e8
const value = Number(tick.toPrecision(6))
const text = small ? value.toExponential() : String(value)
const grouped = Math.abs(value) >= 1e3 ? text.replace(/\\B(?=(\\d{3})+(?!\\d))/g, "\\u202f") : text
return grouped.replaceAll("-", "\\u2212")
"""

_PRINTF = re.compile(r"@\{?([^{}@]+?)\}?\{%[^}]*\}")


def number(value: float | None, digits: int = 3) -> str:
    """A number with `digits` significant digits: `0.001`, `61 200`, `1.2e−7`, `–` if unknown.

    Example:
        >>> number(1e-3), number(0.0123456)
        ('0.001', '0.0123')
    """
    if value is None or value != value:
        return "–"
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if abs(value) >= 10 ** (digits - 1) and abs(value) < 1e9:
        text = f"{value:,.0f}".replace(",", THIN_SPACE)
    elif 1e-4 <= abs(value) < 1e9:
        text = f"{value:.{digits}g}"
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        trimmed = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{trimmed}e{int(exponent)}"
    return text.replace("-", MINUS)


def value_text(value: Any) -> str:
    """A parameter's value as it is shown: numbers by `number`, switches as on or off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (int, float)):
        return number(value, digits=4)
    return str(value)


def change_text(update: int, values: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What a mark says: `update 1200: balance 1 → 0.5`.

    Args:
        update: Update at which the change took effect.
        values: The new values.
        before: Values in force before; those unknown are left out of the text.
    """
    parts = [
        f"{name} {value_text(before[name])} → {value_text(value)}"
        if name in before
        else f"{name} → {value_text(value)}"
        for name, value in values.items()
    ]
    return f"update {update}: {', '.join(parts)}"


def tick_formatter() -> CustomJSTickFormatter:
    """A new axis formatter: thin spaces between thousands, exponents only where needed."""
    return CustomJSTickFormatter(code=_TICK_CODE)


def number_hook(plot: Any, element: Any) -> None:
    """HoloViews hook: number formatters on all axes without fixed ticks, printf in tooltips."""
    figure = plot.handles["plot"]
    for axis in [*figure.xaxis, *figure.yaxis]:
        if not isinstance(axis.ticker, FixedTicker | CategoricalTicker):
            axis.formatter = tick_formatter()
    for axis in figure.yaxis:
        if isinstance(axis.ticker, BasicTicker):
            axis.ticker.desired_num_ticks = 5
    for hover in figure.select(HoverTool):
        texts = " ".join(text for _, text in hover.tooltips or ())
        hover.formatters = {f"@{{{name}}}": "printf" for name in _PRINTF.findall(texts)} | {
            f"@{name}": "printf" for name in _PRINTF.findall(texts)
        }


def metric_label(name: str) -> str:
    """`bits per character` from `bits_per_character`."""
    return {"auc_roc": "AUC-ROC", "auc_pr": "AUC-PR"}.get(name, name.replace("_", " "))
