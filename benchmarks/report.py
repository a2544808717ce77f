"""Run benchmarks one after the other and keep what they find: JSON, a table, and plots.

    python benchmarks/report.py [NAME …] [-- options of `bim-explorer bench`]

Without names: all that need nothing but the package. Figures go to `benchmarks/figures/NAME.json`
and `NAME.md`, plots beside them as `NAME.png`; copy into RESULTS.md what is to be claimed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from plots import draw

from bim_explorer.bench import BENCHES
from bim_explorer.bench.result import markdown

FIGURES = Path(__file__).parent / "figures"
#: They need Chromium, or the environments of the peers.
APART = ("page", "peers")
COMMAND = (sys.executable, "-c", "import sys; from bim_explorer.cli import main; sys.exit(main())")


def report(name: str, options: list[str]) -> None:
    """Run one benchmark in a process of its own and write what it found."""
    print(f"{name} …", file=sys.stderr, flush=True)
    command = [*COMMAND, "bench", name, "--json", *options]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(ran.stdout)
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    words = " ".join(["bim-explorer bench", name, *options])
    table = "\n".join([f"`{words}`", "", *markdown(found), ""])
    (FIGURES / f"{name}.md").write_text(table)
    print(table)


def main() -> None:
    """Run the named benchmarks, then draw all figures that there are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES.names()))
    parser.add_argument("--only-plots", action="store_true", help="run nothing")
    args, options = parser.parse_known_args()
    names = args.names or [name for name in BENCHES.names() if name not in APART]
    for name in [] if args.only_plots else names:
        report(name, options)
    draw(FIGURES)


if __name__ == "__main__":
    main()
