"""Progress on stderr: a live line on a terminal, a line every ten seconds anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from bim_explorer.cli.output import shown

LIVE_SECONDS = 0.2
LOG_SECONDS = 10.0


class Progress:
    """How far a long command is.

    Args:
        unit: What is counted.
        total: How much of it there will be, if that is known.
    """

    def __init__(self, unit: str, total: float | None = None) -> None:
        self._unit = unit
        self._total = total
        self._bar = None
        self._period = LIVE_SECONDS if sys.stderr.isatty() else LOG_SECONDS
        self._due = time.monotonic() + self._period

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from tqdm import tqdm

            counter = "{n:,.0f}/{total:,.0f}" if self._total else "{n:,.0f}"
            bar = "{bar:20}| " if self._total else ""
            self._bar = tqdm(
                total=self._total,
                bar_format=f"{bar}{counter} {self._unit}{{postfix}}",
                file=sys.stderr,
                dynamic_ncols=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def tick(self, done: float, figures: Callable[[], Mapping[str, object]] = dict) -> None:
        """Say how far it is, if it is time to; only then are the figures asked for."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._period
        text = ", ".join(f"{name} {shown(value)}" for name, value in figures().items())
        if self._bar is not None:
            self._bar.n = min(done, self._total) if self._total else done
            self._bar.set_postfix_str(text, refresh=True)
        else:
            goal = f" of {shown(self._total)}" if self._total else ""
            line = f"{done:,.0f}{goal} {self._unit}"
            print(f"{line}, {text}" if text else line, file=sys.stderr, flush=True)
