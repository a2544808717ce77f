"""`bim-explorer evaluate`: score a run's best weights on data it never saw."""

from __future__ import annotations

import argparse
from typing import Any

from bim_explorer.cli.output import complain, emit, facts
from bim_explorer.cli.parser import add_command, add_json
from bim_explorer.cli.progress import Progress
from bim_explorer.cli.runs import run_folder

_EXAMPLES = """\
examples:
  bim-explorer evaluate runs/NAME
  bim-explorer evaluate NAME --split validation --json
  bim-explorer evaluate runs/NAME --data wikitext-2"""


def add(commands: Any) -> None:
    """Add the command."""
    description = "Score a run's best weights on held-out data."
    parser = add_command(commands, "evaluate", description, _EXAMPLES, run)
    parser.add_argument("folder", metavar="RUN", help="a run's folder, or its name below runs/")
    parser.add_argument("--data", metavar="PATH", help="other data of the task's kind")
    parser.add_argument(
        "--split",
        metavar="NAME",
        help="held-out part to read (default: test, else validation; of other recordings all)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the metrics."""
    folder = run_folder(args.folder, None)
    from bim_explorer.training.evaluate import evaluate

    with Progress("steps read") as progress:
        result = evaluate(folder, args.data, args.split, progress.tick)
    complain(result)
    emit(result, args.json, facts(result))
    return 0
