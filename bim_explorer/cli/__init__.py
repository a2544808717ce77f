"""The command line: `bim-explorer serve | train | sweep | evaluate | audit | bench | runs | data`.

Every command is a module with `add`, its options, and `run`, which imports the layers it needs
only when called, so that `--help` is instant.
"""

from bim_explorer.cli.entry import main

__all__ = ["main"]
