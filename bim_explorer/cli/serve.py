"""`bim-explorer serve`: the live page, in a browser on this machine or another."""

from __future__ import annotations

import argparse
from typing import Any

from bim_explorer.cli.parser import add_command
from bim_explorer.cli.settings import add_settings, config_from, with_presets

_EXAMPLES = """\
examples:
  bim-explorer serve --show
  bim-explorer serve --preset text --set learning_rate=1e-3
  bim-explorer serve --address 0.0.0.0 --port 8080

Without --preset and --config the page starts with the preset recall. Ctrl-C ends the server."""


def add(commands: Any) -> None:
    """Add the command."""
    description = "Serve the live page."
    parser = add_command(commands, "serve", description, with_presets(_EXAMPLES), run)
    add_settings(parser)
    parser.set_defaults(preset="recall")
    parser.add_argument(
        "--port", metavar="N", type=_port, default=5006, help="port (default: 5006)"
    )
    parser.add_argument(
        "--address",
        metavar="NAME",
        default="localhost",
        help="address to listen on (default: localhost; 0.0.0.0 lets other machines in)",
    )
    parser.add_argument("--show", action="store_true", help="open the page in the browser")


def run(args: argparse.Namespace) -> int:
    """Serve until the user ends it."""
    config = config_from(args)
    from bim_explorer.views.serve import serve

    serve(config, port=args.port, address=args.address, show=args.show)
    return 0


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"must be a port from 0 to 65535, got {text}")
    return port


_port.__name__ = "port"
