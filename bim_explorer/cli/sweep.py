"""`bim-explorer sweep`: many runs over a grid of parameters, on this machine or on a cluster."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bim_explorer.cli.output import emit, facts, table
from bim_explorer.cli.parser import UsageError, add_command, add_json, positive, positive_whole
from bim_explorer.cli.progress import Progress
from bim_explorer.cli.settings import add_settings, config_from, with_presets

if TYPE_CHECKING:
    from bim_explorer.sweeps.plan import Plan
    from bim_explorer.sweeps.result import SweepResult

_EXAMPLES = """\
examples:
  bim-explorer sweep --preset recall --axis balance=0,0.5,1 --axis seed=0,1,2 --updates 500
  bim-explorer sweep --preset recall --axis learning_rate=log:1e-4:1e-1:20 --updates 500 --plan
  bim-explorer sweep study.toml --out runs/study --json
  bim-explorer sweep study.toml --out runs/study --scheduler tcp://10.0.0.1:8786
  bim-explorer sweep --preset recall --axis learning_rate=log:1e-4:1e-1:1 --updates 500
                     --search optuna --trials 50

axes: name=v1,v2,… · name=grid:low:high:n, evenly spaced · name=uniform:low:high:n and
name=log:low:high:n, drawn at random. Grids are crossed, random axes are drawn together.
The same call with the same --out goes on where the last one stopped; Ctrl-C stops in good order."""

#: Axes whose values a table for people has room for.
_MOST_ROWS = 30


def add(commands: Any) -> None:
    """Add the command."""
    description = "Run a sweep over parameters and seeds, or go on with one."
    parser = add_command(commands, "sweep", description, with_presets(_EXAMPLES), run)
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="a sweep file, JSON or TOML"
    )
    add_settings(parser)
    parser.add_argument(
        "--axis",
        metavar="NAME=VALUES",
        action="append",
        default=[],
        help="a parameter and its values; may be given again and again",
    )
    parser.add_argument("--updates", metavar="N", type=positive_whole, help="updates of each run")
    parser.add_argument("--seconds", metavar="S", type=positive, help="time of each run")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", metavar="N", type=positive_whole, help="processes (default: one a core)"
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler to run on")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="the sweep's folder (default: a new one)"
    )
    parser.add_argument("--plan", action="store_true", help="only show the plan and its time")
    parser.add_argument("--search", choices=["optuna"], help="search the axes instead")
    parser.add_argument("--trials", metavar="N", type=positive_whole, help="runs of a search")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run the sweep; 1 if a run failed, 130 if the user stopped it."""
    plan = _plan(args)
    if (args.search is None) != (args.trials is None):
        raise UsageError("--search and --trials come together (see bim-explorer sweep --help)")
    if args.plan:
        return _show(plan, args)
    total = args.trials or len(plan)
    with Progress("runs", total) as progress, _ends_in_good_order():
        result = _run(plan, args, progress)
    failed = result.failed
    told = {
        "runs": len(result.records),
        "failed": len(failed),
        "dataset": str(result.paths.dataset),
        "seconds": result.seconds,
    }
    emit(told, args.json, [*_rows(result), "", *facts(told)])
    return 130 if result.stopped else int(bool(failed))


def _plan(args: argparse.Namespace) -> Plan:
    from bim_explorer.sweeps.axes import parse_axis
    from bim_explorer.sweeps.plan import Plan, explicit_values

    axes = dict(parse_axis(text) for text in args.axis)
    limits = {"updates": args.updates, "seconds": args.seconds}
    if args.file is None:
        return Plan(config_from(args), axes, **limits)
    if args.preset or args.config:
        raise UsageError("a sweep FILE names its own preset: leave --preset and --config out")
    from bim_explorer.config import Config

    changes = explicit_values(config_from(args))
    if not changes:
        return Plan(args.file, axes, **limits)
    plan = Plan(args.file, axes, **limits)
    base = Config(**{**explicit_values(plan.base), **changes})
    return Plan(base, plan.axes, updates=plan.updates, seconds=plan.seconds)


def _run(plan: Plan, args: argparse.Namespace, progress: Progress) -> SweepResult:
    from bim_explorer.sweeps.bar import news
    from bim_explorer.sweeps.runner import Standing
    from bim_explorer.sweeps.sweep import sweep

    def tell(standing: Standing) -> None:
        progress.tick(standing.done, lambda: news(standing))

    places = {"out": args.out, "workers": args.workers, "scheduler": args.scheduler}
    if args.search is None:
        return sweep(plan, progress=tell, **places)
    from bim_explorer.sweeps.searching import search

    return search(plan, trials=args.trials, progress=tell, **places)


def _show(plan: Plan, args: argparse.Namespace) -> int:
    from bim_explorer.sweeps.estimate import estimate

    about = estimate(plan, args.workers)
    told = {
        "runs": args.trials or len(plan),
        "axes": {name: values for name, (_, values) in plan.coordinates().items()},
        "updates": plan.updates,
        "seconds_each": about.run,
        "workers": about.workers,
        "seconds": about.total,
    }
    emit(told, args.json, [plan.describe(probe=False), about.text])
    return 0


def _rows(result: SweepResult) -> list[str]:
    shown = result.table.drop(columns=["attempts", "run", "error"])
    rows = [
        [value.item() if hasattr(value, "item") else value for value in row]
        for row in shown.head(_MOST_ROWS).itertuples(index=False)
    ]
    more = len(shown) - len(rows)
    note = [f"… and {more} more in {result.paths.table}"] if more else []
    failures = [f"{failure.folder}: {failure.error}" for failure in result.failed]
    return [*table(list(shown.columns), rows), *note, *failures]


@contextmanager
def _ends_in_good_order() -> Iterator[None]:
    """A cluster that takes the machine back says so by SIGTERM: it is as good as Ctrl-C."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
