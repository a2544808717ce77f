"""Where the console script begins: one command, its exit code, and errors in one line."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from bim_explorer import __version__
from bim_explorer.cli import audit, bench, data, evaluate, runs, serve, sweep, train
from bim_explorer.cli.parser import Parser
from bim_explorer.core.errors import BimError, DivergenceError

FAILED, BAD_INPUT, INTERRUPTED, UNREAD = 1, 2, 130, 141
_COMMANDS = (serve, train, sweep, evaluate, audit, bench, runs, data)
_NOTES = """\
examples:
  bim-explorer serve --show
  bim-explorer train --preset recall --seconds 60
  bim-explorer COMMAND --help

exit codes: 0 done, 1 failed or diverged, 2 bad input, 130 interrupted"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words behind `bim-explorer`; None takes those of this process.

    Returns:
        0 done, 1 failed or diverged, 2 bad input, 130 interrupted.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        args = build_parser().parse_args(words)
        return args.run(args)
    except KeyboardInterrupt:
        return _explain("interrupted.", INTERRUPTED, words)
    except DivergenceError as error:
        return _explain(str(error), FAILED, words)
    except BimError as error:
        return _explain(str(error), BAD_INPUT, words)
    except BrokenPipeError:
        # whoever read stdout has gone; without this, the interpreter complains as it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
        return _explain(f"a fault of the program, {fault}; --debug shows where.", FAILED, words)


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser("bim-explorer", "Watch a spiking state space network learn online.", _NOTES)
    parser.add_argument("--version", action="version", version=f"bim-explorer {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add(commands)
    return parser


def _explain(sentence: str, code: int, words: Sequence[str]) -> int:
    if "--debug" in words:
        traceback.print_exc()
    print("bim-explorer: " + " ".join(sentence.split()), file=sys.stderr)
    return code
