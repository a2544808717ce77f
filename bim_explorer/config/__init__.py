"""Everything a user may set: one flat, bounded class, its presets, JSON in and out."""

from bim_explorer.config.config import Config
from bim_explorer.config.presets import Preset, preset_names, read_preset

__all__ = ["Config", "Preset", "preset_names", "read_preset"]
