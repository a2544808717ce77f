"""`bim-explorer audit`: how far the online gradient is from BPTT through the whole sequence."""

from __future__ import annotations

import argparse
from typing import Any

from bim_explorer.cli.output import emit, table
from bim_explorer.cli.parser import add_command, add_json, positive_whole
from bim_explorer.cli.settings import add_settings, config_from, with_presets

_EXAMPLES = """\
examples:
  bim-explorer audit --chunk 1 --dtype float64
  bim-explorer audit --set n_blocks=2 --chunk 16
  bim-explorer audit --preset text --steps 256 --json"""
_FIGURES = ("cosine", "relative_error", "truncated_cosine")


def add(commands: Any) -> None:
    """Add the command."""
    description = "Compare the online gradient, and truncated BPTT's, with full BPTT."
    parser = add_command(commands, "audit", description, with_presets(_EXAMPLES), run)
    add_settings(parser)
    parser.add_argument("--chunk", metavar="K", type=positive_whole, help="steps of a chunk")
    parser.add_argument(
        "--steps",
        metavar="T",
        type=positive_whole,
        default=128,
        help="length of the sequence (default: 128)",
    )
    parser.add_argument("--dtype", metavar="TYPE", help="float32 or float64")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Audit and print a line for each parameter group."""
    config = config_from(args, chunk=args.chunk, dtype=args.dtype)
    from bim_explorer.analysis.audit import audit

    result = audit(config, steps=args.steps)
    rows = [*result["groups"].items(), ("whole", result["whole"])]
    lines = table(
        ["group", *(name.replace("_", " ") for name in _FIGURES)],
        [[name, *(figures[f] for f in _FIGURES)] for name, figures in rows],
    )
    emit(result, args.json, lines)
    return 0
