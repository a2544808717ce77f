"""`bim-explorer train`: train a run without a page, and leave it in its folder."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bim_explorer.cli.output import complain, emit, facts
from bim_explorer.cli.parser import add_command, add_json, positive, positive_whole
from bim_explorer.cli.progress import Progress
from bim_explorer.cli.settings import add_settings, config_from, with_presets

if TYPE_CHECKING:
    from bim_explorer.functional.chunk import UpdateResult
    from bim_explorer.training.experiment import Experiment

_EXAMPLES = """\
examples:
  bim-explorer train --preset recall --seconds 60
  bim-explorer train --preset recall --set credit=truncated --set delay=80 --updates 2000
  bim-explorer train --preset text --set data=book.txt --seconds 600 --json
  bim-explorer train --config runs/NAME/config.json --seed 3

Without --seconds and --updates it trains for a minute. Ctrl-C ends it early and in good order."""


def add(commands: Any) -> None:
    """Add the command."""
    description = "Train a network online and keep the run in a folder."
    parser = add_command(commands, "train", description, with_presets(_EXAMPLES), run)
    add_settings(parser)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--seconds", metavar="S", type=positive, help="time to train for")
    limit.add_argument("--updates", metavar="N", type=positive_whole, help="updates to train for")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="the run's folder (default: a new one)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train, print the result; 130 if the user ended it."""
    config = config_from(args)
    from bim_explorer.training.train import DEFAULT_SECONDS, train

    seconds = DEFAULT_SECONDS if args.seconds is None and args.updates is None else args.seconds
    unit, total = ("s", seconds) if args.updates is None else ("updates", args.updates)
    with Progress(unit, total) as progress, _interrupts() as asked:
        watch = _watcher(progress, by_time=args.updates is None, asked=asked)
        result = train(config, seconds, args.updates, args.out, watch)
    complain(result)
    emit(result, args.json, facts(result))
    return 130 if asked else 0


def _watcher(
    progress: Progress, by_time: bool, asked: list[int]
) -> Callable[[UpdateResult, Experiment], None]:
    start = time.monotonic()

    def watch(result: UpdateResult, experiment: Experiment) -> None:
        if by_time:
            count = {"update": result.update}
            progress.tick(time.monotonic() - start, lambda: count | _figures(experiment))
        else:
            progress.tick(result.update, lambda: _figures(experiment))
        if asked:
            raise KeyboardInterrupt

    return watch


def _figures(experiment: Experiment) -> dict[str, object]:
    figures = experiment.figures()
    return {
        "loss": figures.get("loss"),
        experiment.task.metrics[0]: figures.get("metric"),
        "steps/s": round(figures["steps_per_second"]),
    }


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Notes the first Ctrl-C, so that training ends between two updates; the second one acts."""
    asked: list[int] = []

    def note(number: int, _frame: object) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, previous)
