"""What a benchmark says: rows of figures, ratios, and the machine they were taken on."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from bim_explorer import __version__
from bim_explorer.bench.timing import Options
from bim_explorer.core.machine import cores

Row = dict[str, Any]
_PACKAGES = ("torch", "numba", "numpy")


def machine(options: Options) -> dict[str, Any]:
    """Processor, cores, threads, clock, versions and date."""
    facts: dict[str, Any] = {"cpu": _processor(), "cores": cores(), "threads": options.threads}
    if options.device != "cpu":
        facts["device"] = torch.cuda.get_device_name(options.device)
    return facts | {
        "clock": options.clock,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "bim-explorer": __version__,
        **{name: _version(name) for name in _PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def result(
    name: str, options: Options, rows: Sequence[Row], ratios: Mapping[str, float]
) -> dict[str, Any]:
    """The object that `bim-explorer bench NAME --json` prints."""
    return {
        "name": name,
        "machine": machine(options),
        "rows": list(rows),
        "ratios": dict(ratios),
    }


def markdown(found: Mapping[str, Any]) -> list[str]:
    """The result as markdown: machine, a table of the rows, a table of the ratios."""
    facts = found["machine"]
    place = f"{facts['cpu']}, {facts['cores']} cores, {facts['threads']} thread(s)"
    place += f", {facts['device']}" if "device" in facts else ""
    names = ("python", "bim-explorer", *_PACKAGES)
    versions = ", ".join(f"{name} {facts[name]}" for name in names if facts.get(name))
    lines = [f"**{found['name']}** · {place} · {versions} · {facts['date']}", ""]
    columns = list(dict.fromkeys(column for row in found["rows"] for column in row))
    body = [[row.get(column) for column in columns] for row in found["rows"]]
    lines += _table([column.replace("_", " ") for column in columns], body)
    if found["ratios"]:
        lines += ["", *_table(["ratio", "value"], [list(r) for r in found["ratios"].items()])]
    return lines


def _table(header: Sequence[str], body: Sequence[Sequence[Any]]) -> list[str]:
    lines = [header, ["---"] * len(header), *([_shown(cell) for cell in row] for row in body)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1e4:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1e3 else f"{value:,.0f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
