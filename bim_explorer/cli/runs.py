"""`bim-explorer runs`: what runs there are, and what one of them was."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bim_explorer.cli.output import emit, facts, table
from bim_explorer.cli.parser import UsageError, add_command, add_json
from bim_explorer.core.errors import RunError

_EXAMPLES = """\
examples:
  bim-explorer runs
  bim-explorer runs list --root /data/runs --json
  bim-explorer runs show NAME"""


def add(commands: Any) -> None:
    """Add the command."""
    description = "List the runs of a folder, or show one."
    parser = add_command(commands, "runs", description, _EXAMPLES, run)
    parser.add_argument("action", nargs="?", choices=["list", "show"], default="list")
    parser.add_argument("folder", metavar="RUN", nargs="?", help="a run's folder or name, to show")
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="folder of runs (default: $BIM_RUNS or runs)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """List or show."""
    if args.action == "show":
        if args.folder is None:
            raise UsageError("runs show wants the RUN to show (see bim-explorer runs --help)")
        return _show(run_folder(args.folder, args.root), args.json)
    if args.folder is not None:
        raise UsageError(f"runs list takes no RUN: bim-explorer runs show {args.folder}")
    return _list(args.root, args.json)


def run_folder(name: str, root: Path | None) -> Path:
    """The folder of a run given by its path, or by its name below the folder of runs.

    Raises:
        RunError: There is no such folder.
    """
    from bim_explorer.store.paths import runs_root

    root = root or runs_root()
    for folder in (Path(name), root / name):
        if folder.is_dir():
            return folder
    raise RunError(f"no run {name!r}, neither as a folder nor below {root}: see bim-explorer runs")


def _list(root: Path | None, as_json: bool) -> int:
    from bim_explorer.store.paths import runs_root
    from bim_explorer.store.reader import list_runs

    if root is not None and not root.is_dir():
        raise RunError(f"{root} is no folder: give the folder of runs with --root")
    root = root or runs_root()
    summaries = [reader.summary() for reader in list_runs(root)] if root.is_dir() else []
    columns = list(summaries[0]) if summaries else []
    rows = [[summary[name] for name in columns] for summary in summaries]
    lines = table(columns, rows) if rows else [f"no runs in {root}"]
    emit({"runs": summaries}, as_json, lines)
    return 0


def _show(folder: Path, as_json: bool) -> int:
    from bim_explorer.store.reader import RunReader

    reader = RunReader(folder)
    result = {"folder": str(folder), **reader.summary(), **reader.info}
    emit(result, as_json, facts(result))
    return 0
