"""The one switch between backends: by name, or the fastest that this machine has."""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import cast

import torch

from bim_explorer.functional.scans import Kernels

log = logging.getLogger(__name__)

_MODULES = {
    "torch": "bim_explorer.kernels.torch_kernels",
    "numba": "bim_explorer.kernels.numba_kernels",
    "triton": "bim_explorer.kernels.triton_kernels",
}
#: The fast backend of a kind of device, what it needs, and what stands in for it.
_FASTEST = {"cpu": "numba", "cuda": "triton"}


def kernels_for(backend: str, device: str | torch.device = "cpu") -> Kernels:
    """The kernels of a backend on a device.

    Args:
        backend: "auto", "torch", "numba" or "triton"; auto takes numba on a CPU and triton on a
            CUDA device, where they are installed.
        device: Where the tensors live. A backend that this device or machine has not gives way to
            torch, with one line in the log.
    """
    kind = torch.device(device).type
    chosen = _FASTEST.get(kind, "torch") if backend == "auto" else backend
    if chosen != "torch" and not _usable(chosen, kind):
        level = logging.INFO if backend == "auto" else logging.WARNING
        need = next(k for k, fastest in _FASTEST.items() if fastest == chosen)
        log.log(
            level,
            "backend %s needs a %s device and `pip install %s`; torch takes its place",
            chosen,
            need,
            chosen,
        )
        chosen = "torch"
    return cast(Kernels, import_module(_MODULES[chosen]))


def _usable(backend: str, kind: str) -> bool:
    return _FASTEST.get(kind) == backend and find_spec(backend) is not None
