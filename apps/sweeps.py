"""A sweep, watched live: `panel serve apps/sweeps.py`, or `python apps/sweeps.py [DIR]`.

DIR is the sweep's folder, or `panel serve apps/sweeps.py --args DIR`; without it, the newest sweep
below the folder of runs. Who runs the sweep, and where, makes no difference: its folder is read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import panel as pn

from bim_explorer.views.serve import EXTENSION, serve_page
from bim_explorer.views.sweeps.page import page


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Watch a sweep live.")
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, help="the sweep's folder")
    parser.add_argument("--port", type=int, default=5007, help="port to listen on (default: 5007)")
    parser.add_argument("--show", action="store_true", help="open the page in the browser")
    return parser.parse_args()


if pn.state.served:
    pn.extension(**EXTENSION)
    page(_arguments().folder).servable()
elif __name__ == "__main__":
    asked = _arguments()
    serve_page(lambda: page(asked.folder), port=asked.port, show=asked.show)
