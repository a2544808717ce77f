"""The bar of a sweep in a notebook or a terminal: how far it is, what came out last."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bim_explorer.sweeps.runner import Standing


@contextmanager
def bar(total: int) -> Iterator[Callable[[Standing], None]]:
    """A progress bar; silent where nobody looks.

    Args:
        total: Runs of the plan.
    """
    from tqdm import tqdm

    silent = not (sys.stderr.isatty() or "ipykernel" in sys.modules)
    form = "{bar:20}| {n}/{total} runs, {elapsed}{postfix}"
    with tqdm(total=total, bar_format=form, file=sys.stderr, disable=silent) as line:

        def tell(standing: Standing) -> None:
            line.n = standing.done
            text = ", ".join(f"{name} {_shown(value)}" for name, value in news(standing).items())
            line.set_postfix_str(text, refresh=True)

        yield tell


def news(standing: Standing) -> dict[str, Any]:
    """What to say beside the bar: failures, time left, and the newest result."""
    said: dict[str, Any] = {"failed": standing.failed} if standing.failed else {}
    if standing.left is not None and standing.done < standing.total:
        said["left"] = f"{standing.left:.0f} s"
    newest = standing.newest or {}
    scores = newest.get("metrics") or {}
    if newest.get("loss") is not None:
        said["loss"] = newest["loss"]
    return {**said, **dict(list(scores.items())[:1])}


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
