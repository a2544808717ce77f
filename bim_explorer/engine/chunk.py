"""`functional.chunk` by the name that the engine's users know."""

from bim_explorer.functional.chunk import ChunkTensors

__all__ = ["ChunkTensors"]
