"""A learning curve by processor time, for choosing a preset's values on a machine that is not idle.

Trains in memory and scores the whole validation split every so many seconds of the process's own
processor time; the validations' time is left out. One line of CSV each:

    trial, cpu_seconds, steps, update, METRIC, …

Run `python benchmarks/tuning.py --preset wikitext --cpu-seconds 240 --every 40 --set data=DIR`;
rows are gathered in `benchmarks/sweeps/`, what they teach in `LOG.md`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from bim_explorer.cli.parser import Parser
from bim_explorer.cli.settings import add_settings, config_from
from bim_explorer.config import Config
from bim_explorer.training.experiment import Experiment


def curve(config: Config, seconds: float, every: float) -> Iterator[dict[str, float]]:
    """Scores of the whole validation split, every `every` seconds of processor time."""
    experiment = Experiment(config.values())
    experiment.advance()  # compiles the kernels
    start, due = time.process_time(), every
    while True:
        experiment.advance()
        spent = time.process_time() - start
        if spent < due:
            continue
        scores = experiment.validate(None)
        yield {
            "cpu_seconds": round(spent),
            "steps": experiment.steps,
            "update": experiment.update,
            **{name: round(score, 4) for name, score in scores.items()},
        }
        if spent >= seconds:
            return
        start, due = time.process_time() - spent, due + every


def main() -> None:
    """Print the curve of the settings on the command line."""
    parser = Parser("tuning.py", "A learning curve by processor time, as CSV.", "")
    add_settings(parser)
    parser.add_argument("--trial", default="", help="what the rows are called")
    parser.add_argument("--cpu-seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two scores")
    args = parser.parse_args()
    for number, row in enumerate(curve(config_from(args), args.cpu_seconds, args.every)):
        if not number:
            print("trial", *row, sep=",")
        print(args.trial, *row.values(), sep=",", flush=True)


if __name__ == "__main__":
    main()
