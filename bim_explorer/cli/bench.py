"""`bim-explorer bench`: time the engine, alone and against what would be used in its place."""

from __future__ import annotations

import argparse
from typing import Any

from bim_explorer.cli.output import emit
from bim_explorer.cli.parser import add_command, add_json, positive, positive_whole

_EXAMPLES = """\
examples:
  bim-explorer bench engine
  bim-explorer bench engine --backend torch --repeats 11 --json
  bim-explorer bench roofline --threads 2"""


def add(commands: Any) -> None:
    """Add the command."""
    description = "Time the engine and print figures, ratios and the machine."
    parser = add_command(commands, "bench", description, _notes, run)
    parser.add_argument("name", metavar="NAME", help="what to time; the list is below")
    parser.add_argument(
        "--repeats", metavar="N", type=positive_whole, help="samples of each work (default: 7)"
    )
    parser.add_argument(
        "--seconds", metavar="S", type=positive, help="least length of a sample (default: 0.2)"
    )
    parser.add_argument(
        "--threads", metavar="N", type=positive_whole, help="threads of every work (default: 1)"
    )
    parser.add_argument("--backend", metavar="NAME", help="auto, or a backend's name")
    parser.add_argument("--device", metavar="NAME", help="torch device (default: cpu)")
    parser.add_argument(
        "--tiny", action="store_true", help="smallest sizes: shows that it runs, measures nothing"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run one benchmark; progress goes to stderr."""
    from bim_explorer.bench import BENCHES
    from bim_explorer.bench.result import markdown
    from bim_explorer.bench.timing import Options

    bench = BENCHES.load(args.name)
    chosen = ("repeats", "seconds", "threads", "backend", "device", "tiny")
    given = {name: getattr(args, name) for name in chosen if getattr(args, name)}
    result = bench(Options(**given))
    emit(result, args.json, markdown(result))
    return 0


def _notes() -> str:
    from bim_explorer.bench import BENCHES

    return "\n".join([_EXAMPLES, "", f"names: {', '.join(BENCHES.names())}"])
