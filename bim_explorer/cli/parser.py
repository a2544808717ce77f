"""The one kind of argument parser: faults in one line, examples below the options."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from bim_explorer.core.errors import BimError


class UsageError(BimError):
    """Words on the command line that make no command."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting with a page of usage.

    Args:
        prog: The words it is called by.
        description: One sentence on what it does.
        notes: Examples and the like, printed below the options; asked for only by `--help`.
    """

    def __init__(self, prog: str, description: str, notes: str | Callable[[], str]) -> None:
        super().__init__(
            prog=prog,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._notes = notes

    def format_help(self) -> str:
        """Usage, options and notes."""
        self.epilog = self._notes() if callable(self._notes) else self._notes
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise the fault, to be shown as one line.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{message} (see {self.prog} --help)")


def add_command(
    commands: Any,
    name: str,
    description: str,
    notes: str | Callable[[], str],
    run: Callable[[argparse.Namespace], int],
) -> Parser:
    """A command's parser with the options that all of them have."""
    parser = commands.add_parser(
        name, prog=f"bim-explorer {name}", help=description, description=description, notes=notes
    )
    parser.set_defaults(run=run)
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def add_json(parser: Parser) -> None:
    """The option `--json`."""
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object, and nothing else"
    )


def positive(text: str) -> float:
    """A finite number above 0, for `type=`."""
    number = float(text)
    if not (number > 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"must be a number > 0, got {text}")
    return number


def positive_whole(text: str) -> int:
    """A whole number above 0, for `type=`."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number ≥ 1, got {text}")
    return number


positive.__name__, positive_whole.__name__ = "number", "whole number"
