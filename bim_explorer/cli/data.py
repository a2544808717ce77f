"""`bim-explorer data`: what data is known and where it is from, what a folder holds, getting it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bim_explorer.cli.output import emit, facts, table
from bim_explorer.cli.parser import UsageError, add_command, add_json
from bim_explorer.cli.progress import Progress

if TYPE_CHECKING:
    from bim_explorer.tasks.catalogue import DataSet

_EXAMPLES = """\
examples:
  bim-explorer data list
  bim-explorer data check book.txt
  bim-explorer data check wikitext-2 --json
  bim-explorer data make digits my-digits --seed 3
  bim-explorer data fetch fsdd
  bim-explorer data fetch wikitext-103 data-sets/wikitext-103

fetch without DIR writes to $BIM_DATA/NAME or data-sets/NAME, and goes on after a break.
check ends with exit code 1 if some files of a set cannot be used, and says which."""

_WANTS = {
    "list": "",
    "check": "the PATH to check",
    "make": "the NAME of a task and the DIR to write to",
    "fetch": "the NAME of a data set",
}
_SIZES = {"list": (0,), "check": (1,), "make": (2,), "fetch": (1, 2)}


def add(commands: Any) -> None:
    """Add the command."""
    description = "List, check, make and fetch the tasks' data."
    parser = add_command(commands, "data", description, _EXAMPLES, run)
    parser.add_argument("action", nargs="?", choices=list(_WANTS), default="list")
    parser.add_argument(
        "words",
        metavar="PATH | NAME DIR",
        nargs="*",
        help="a file or folder to check; what to make or fetch, and the folder to write to",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="seed of a synthetic set (default: 0)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """List, check, make or fetch."""
    if len(args.words) not in _SIZES[args.action]:
        if args.action == "list":
            raise UsageError(f"data list takes no PATH: bim-explorer data check {args.words[0]}")
        wanted = _WANTS[args.action]
        raise UsageError(f"data {args.action} wants {wanted} (see bim-explorer data --help)")
    if args.action == "check":
        return _check(Path(args.words[0]).expanduser(), args.json)
    if args.action == "make":
        return _make(args.words[0], Path(args.words[1]).expanduser(), args.seed, args.json)
    if args.action == "fetch":
        return _fetch(*args.words, as_json=args.json)
    return _list(args.json)


def _list(as_json: bool) -> int:
    from bim_explorer.config import Config
    from bim_explorer.tasks import TASKS, describe
    from bim_explorer.tasks.catalogue import DATA_SETS

    tasks = []
    for name in TASKS.names():
        source, synthetic = describe(Config(task=name).values())
        entry = {"task": name, "source": source, "synthetic": synthetic}
        tasks.append({**entry, "reads": TASKS.load(name).reads})
    known = [
        {
            "name": entry.name,
            "title": entry.title,
            "tasks": ", ".join(entry.tasks),
            "home": entry.home,
            "licence": entry.licence,
            "size": entry.size,
            "layout": entry.layout,
            "fetch": bool(entry.addresses),
        }
        for entry in DATA_SETS
    ]
    lines = ["Tasks, and what they read without a path of yours", ""]
    lines += [line for entry in tasks for line in (*facts(entry), "")]
    lines += ["Data sets that are known", ""]
    lines += [line for entry in known for line in (*facts(entry), "")]
    emit({"data": tasks, "sets": known}, as_json, lines[:-1])
    return 0


def _check(path: Path, as_json: bool) -> int:
    from bim_explorer.core.errors import DataError
    from bim_explorer.tasks.catalogue import file_faults, recognise

    entry = recognise(path)
    if entry is None and path.is_dir():
        raise DataError(f"{path} has the layout of no data set that is known: bim-explorer data")
    if entry is None or "text" in entry.tasks:
        return _check_text(path, entry, as_json)
    files, faults = file_faults(path)
    details = {}
    for task in _readers(entry.tasks):
        details = dict(task.inspect(str(path)))
        faults = _joined(faults, details.pop("faults", []))
    if not files:
        raise DataError(f"{path} holds no files.")
    result = {**details, "readable": not faults, "name": str(path), "set": entry.name}
    result |= {"title": entry.title, "files": files, "faults": faults}
    shown = {name: value for name, value in result.items() if name != "faults"}
    emit(result, as_json, [*facts(shown), *faults])
    if not faults:
        return 0
    print(f"bim-explorer: {len(faults)} of {files} files cannot be used.", file=sys.stderr)
    return 1


def _check_text(path: Path, entry: DataSet | None, as_json: bool) -> int:
    from bim_explorer.tasks.text import inspect_text

    single = path / "input.txt"
    found = inspect_text(str(single if single.is_file() else path))
    layout = {} if entry is None else {"layout": entry.layout}
    rows = [[part, n] for part, n in found["characters"].items()]
    lines = [
        f"{found['name']} is readable as text; {found['kinds']} kinds of characters.",
        *table(["part", "characters"], rows),
    ]
    emit({"readable": True, **found, **layout}, as_json, lines)
    return 0


def _joined(of_files: list[str], of_reader: list[str]) -> list[str]:
    """Faults of both, a file that the reader complains about named once."""
    known = " ".join(of_reader)
    return [*of_reader, *(fault for fault in of_files if fault.split()[0] not in known)]


def _readers(tasks: tuple[str, ...]) -> list[Any]:
    """The first of these tasks that can look into a folder, if there is one."""
    from bim_explorer.tasks import TASKS

    loaded = (TASKS.load(name) for name in tasks if name in TASKS.names())
    return [task for task in loaded if hasattr(task, "inspect")][:1]


def _make(name: str, folder: Path, seed: int, as_json: bool) -> int:
    from bim_explorer.core.errors import DataError
    from bim_explorer.tasks import TASKS

    task = TASKS.load(name)
    if not hasattr(task, "make"):
        makers = [known for known in TASKS.names() if hasattr(TASKS.load(known), "make")]
        raise DataError(f"{name} has no synthetic set to write. Known: {', '.join(makers) or '–'}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is not empty: give a new folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        task.make(folder, seed)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}.") from error
    files = [file for file in folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    result = {"task": name, "folder": str(folder), "seed": seed}
    result |= {"files": len(files), "bytes": size}
    emit(result, as_json, facts(result))
    return 0


def _fetch(name: str, folder: str | None = None, *, as_json: bool) -> int:
    from bim_explorer.tasks.catalogue import data_set
    from bim_explorer.tasks.fetching import fetch

    entry = data_set(name)
    root = Path(os.environ.get("BIM_DATA") or "data-sets")
    target = Path(folder).expanduser() if folder else root / name
    with Progress("bytes") as progress:

        def tell(file: str, done: int, total: int | None) -> None:
            progress.tick(done, lambda: {"file": file, "of": total})

        fetched = fetch(entry, target, tell)
    result = {"set": name, "folder": str(target), "fetched": fetched, "licence": entry.licence}
    emit(result, as_json, facts(result))
    return 0
