"""Benchmarks that are programs of a checkout, since they need more than the package.

page    `benchmarks/page.py`: the served page in a real Chromium
peers   `benchmarks/peers/run.py`: other packages, in environments of their own
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bim_explorer
from bim_explorer.bench.result import result
from bim_explorer.bench.timing import Options
from bim_explorer.core.errors import BimError, DataError


def bench_page(options: Options) -> dict[str, Any]:
    """What the page costs and how fast it answers."""
    found = _run("page.py", [])
    rows = [{"figure": name, "value": _flat(value)} for name, value in found.items()]
    return result("page", options, rows, {"watched_vs_headless": found["speed_ratio"]})


def bench_peers(options: Options) -> dict[str, Any]:
    """Ours against other packages on like work."""
    return _run("peers/run.py", ["--repeats", str(options.repeats)])


def program(name: str) -> Path:
    """Where a program of `benchmarks/` lies.

    Raises:
        DataError: Neither this package nor the working directory is in a checkout.
    """
    for root in (Path(bim_explorer.__file__).parents[1], Path.cwd()):
        if (path := root / "benchmarks" / name).is_file():
            return path
    raise DataError(f"benchmarks/{name} is not here: run this from a checkout of the project")


def _run(name: str, words: list[str]) -> dict[str, Any]:
    command = [sys.executable, str(program(name)), *words]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode:
        raise BimError(f"benchmarks/{name} ended with code {ran.returncode}; what it said is above")
    return json.loads(ran.stdout.splitlines()[-1])


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
