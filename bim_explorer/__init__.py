"""BIM Explorer: watch a spiking selective state space network learn online.

The public face; each name loads its layer when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Config": "bim_explorer.config",
    "train": "bim_explorer.training.train",
    "audit": "bim_explorer.analysis.audit",
    "Explorer": "bim_explorer.views.explorer",
    "use_plugins": "bim_explorer.core.plugins",
    "sweep": "bim_explorer.sweeps.sweep",
}

if TYPE_CHECKING:
    from bim_explorer.analysis.audit import audit as audit
    from bim_explorer.config import Config as Config
    from bim_explorer.core.plugins import use_plugins as use_plugins
    from bim_explorer.sweeps.sweep import sweep as sweep
    from bim_explorer.training.train import train as train
    from bim_explorer.views.explorer import Explorer as Explorer

__all__ = ["Config", "Explorer", "audit", "sweep", "train", "use_plugins"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
