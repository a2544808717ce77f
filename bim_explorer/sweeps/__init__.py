"""Sweeps: many runs over a grid of parameters and seeds, on this machine or on a cluster.

    axes → plan → runner → work (one run, in a worker process) → run folders → table

Names load when first used, so that a worker process can set its number of threads before numpy
is imported. Torch is loaded in worker processes alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "Plan": "bim_explorer.sweeps.plan",
    "uniform": "bim_explorer.sweeps.axes",
    "log_uniform": "bim_explorer.sweeps.axes",
    "open_sweep": "bim_explorer.sweeps.result",
    "search": "bim_explorer.sweeps.searching",
}

if TYPE_CHECKING:
    from bim_explorer.sweeps.axes import log_uniform as log_uniform
    from bim_explorer.sweeps.axes import uniform as uniform
    from bim_explorer.sweeps.plan import Plan as Plan
    from bim_explorer.sweeps.result import open_sweep as open_sweep
    from bim_explorer.sweeps.searching import search as search

__all__ = ["Plan", "log_uniform", "open_sweep", "search", "uniform"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
