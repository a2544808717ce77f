"""The scans over time behind one interface, and the one switch between their backends."""

from bim_explorer.functional.scans import Kernels
from bim_explorer.kernels.switch import kernels_for

__all__ = ["Kernels", "kernels_for"]
