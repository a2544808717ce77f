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
}


def kernels_for(backend: str, device: str | torch.device = "cpu") -> Kernels:
    """The kernels of a backend on a device.

    Args:
        backend: "auto", "torch" or "numba"; auto takes numba on a CPU that has it.
        device: Where the tensors live; numba knows CPUs only and gives way to torch elsewhere.
    """
    on_cpu = torch.device(device).type == "cpu"
    chosen = ("numba" if on_cpu else "torch") if backend == "auto" else backend
    if chosen == "numba" and not (on_cpu and find_spec("numba")):
        if backend != "auto":
            log.warning("backend numba needs a CPU and the numba package; torch takes its place")
        chosen = "torch"
    return cast(Kernels, import_module(_MODULES[chosen]))
