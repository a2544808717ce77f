"""What commands print on stdout: one JSON object, or a table for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def emit(result: Mapping[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print the result as one line of JSON, or else the lines."""
    if as_json:
        print(json.dumps(_plain(result), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(lines))


def complain(result: Mapping[str, Any], most: int = 5) -> None:
    """Say on stderr what a task complains about, the first few sentences."""
    complaints = result.get("complaints", [])
    for sentence in complaints[:most]:
        print(f"data: {sentence}", file=sys.stderr)
    if len(complaints) > most:
        print(f"data: {len(complaints) - most} more such remarks", file=sys.stderr)


def facts(values: Mapping[str, Any]) -> list[str]:
    """A line for each value, nested ones by their own names."""
    flat = dict(_flat(values))
    width = max(map(len, flat), default=0)
    return [f"{name:<{width}}  {shown(value)}" for name, value in flat.items()]


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Aligned columns below a header; numbers to the right."""
    cells = [list(header), *([shown(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [all(_is_number(row[i]) for row in cells[1:]) for i in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]


def shown(value: Any) -> str:
    """A value for people: four digits, thousands set apart, a dash for what is unknown."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (abs(value) >= 1e4 and math.isfinite(value)):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return cell == "–"
    return True


def _flat(values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield name, value


def _plain(value: Any) -> Any:
    """JSON knows no NaN and no infinity: None instead."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
