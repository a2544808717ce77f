"""How a sweep stands, as HTML: a square a run, figures, and what failed with its log."""

from __future__ import annotations

from collections import Counter
from html import escape
from shlex import quote

import numpy as np

from bim_explorer.sweeps.estimate import duration
from bim_explorer.sweeps.paths import (
    DIVERGED,
    DONE,
    FAILED,
    PRUNED,
    RUNNING,
    STOPPED,
    WAITING,
)
from bim_explorer.sweeps.result import SweepResult
from bim_explorer.sweeps.scores import higher_is_better
from bim_explorer.sweeps.table import RunRecord
from bim_explorer.sweeps.trials import Trials
from bim_explorer.views.plots.format import metric_label, number
from bim_explorer.views.sweeps.frame import texts

_ENDED = (DONE, DIVERGED, FAILED, PRUNED)


def head(result: SweepResult) -> str:
    """What is run, and where; and how it goes on, if nobody runs it."""
    return (
        f'<div class="bim-sweep-head"><h2>{escape(result.plan.size)}</h2>'
        f"<code>{escape(str(result.folder))}</code></div>{_way_on(result) if _idle(result) else ''}"
    )


def cards(result: SweepResult) -> str:
    """Figures: how many have ended, time left, the best run."""
    counts = Counter(_statuses(result))
    ended = sum(counts[status] for status in _ENDED)
    bad = counts[FAILED] + counts[DIVERGED]
    running = f"{counts[RUNNING]} running" if counts[RUNNING] else "none running"
    made = [
        _card("done", f"{ended} / {len(result.records)}", "runs ended", running),
        _card("left", _left(result.records), "left", _mean_time(result.records)),
        _card("failed", str(bad), "failed or diverged", "each with its log below", some=bad > 0),
        _best(result.records),
    ]
    return f'<div class="bim-cards">{"".join(made)}</div>'


def runs(result: SweepResult) -> str:
    """A square a run, in the order of the plan; its title names the run."""
    statuses = _statuses(result)
    squares = "".join(
        f'<div class="bim-run bim-run-{status}" title="{escape(_name(record, status))}"></div>'
        for record, status in zip(result.records, statuses, strict=True)
    )
    counts = Counter(statuses)
    order = (DONE, RUNNING, WAITING, STOPPED, PRUNED, DIVERGED, FAILED)
    key = " · ".join(f"{counts[status]} {status}" for status in order if counts[status])
    label = f'role="img" aria-label="{escape(key)}"'
    return f'<div class="bim-runs" {label}>{squares}<div class="bim-key">{escape(key)}</div></div>'


def failures(result: SweepResult) -> str:
    """What failed, each with its log; nothing if nothing has."""
    parts = [
        f"<details><summary><b>{escape(failure.folder.name)}</b> {escape(_values(failure.changes))}"
        f": {escape(failure.error)}</summary><pre>{escape(failure.log)}</pre></details>"
        for failure in result.failed
    ]
    if not parts:
        return ""
    return f'<div class="bim-failures"><h3>Failed or diverged</h3>{"".join(parts)}</div>'


def best(records: list[RunRecord]) -> RunRecord | None:
    """The run with the best validation score so far."""
    good = [record for record in records if record.status not in (FAILED, DIVERGED)]
    known = [record for record in good if np.isfinite(record.final()["validation"])]
    if not known:
        return None
    high = higher_is_better(known[0].leading or "")
    pick = max if high else min
    return pick(known, key=lambda record: record.final()["validation"])


def _way_on(result: SweepResult) -> str:
    """What to call; only the caller knows how many trials a search was to have."""
    plan, out = (escape(quote(str(path))) for path in (result.paths.plan, result.folder))
    command = f"<code>bim-explorer sweep {plan} --out {out}</code>"
    call = "the same call again" if isinstance(result.plan, Trials) else command
    return (
        '<div class="bim-note bim-note-warning">Nobody runs this sweep now. '
        f"It goes on where it stopped with {call}</div>"
    )


def _idle(result: SweepResult) -> bool:
    """Whether runs are left and nobody runs them."""
    return not result.complete and not result.going


def _statuses(result: SweepResult) -> list[str]:
    """How every run stands; one that was cut off with its sweep has stopped."""
    cut_off = _idle(result)
    return [
        STOPPED if cut_off and record.status == RUNNING else record.status
        for record in result.records
    ]


def _best(records: list[RunRecord]) -> str:
    found = best(records)
    if found is None:
        return _card("best", "–", "best validation score", "no run has been validated yet")
    label = f"best validation {metric_label(found.leading or 'score')}"
    note = f"{_values(found.cell.changes)} ({found.folder.name})"
    return _card("best", number(found.final()["validation"]), label, note)


def _card(key: str, value: str, label: str, note: str, some: bool = False) -> str:
    more = " bim-some" if some else ""
    return (
        f'<div class="bim-card bim-card-{key}{more}"><b>{escape(value)}</b>'
        f"<span>{escape(label)}</span><small>{escape(note)}</small></div>"
    )


def _times(records: list[RunRecord]) -> list[float]:
    return [record.outcome["seconds"] for record in records if record.status in _ENDED]


def _left(records: list[RunRecord]) -> str:
    times = _times(records)
    rest = len(records) - len(times)
    if records and not rest:
        return "done"
    if not times:
        return "–"
    side_by_side = max(sum(record.status == RUNNING for record in records), 1)
    return duration(sum(times) / len(times) * rest / side_by_side)


def _mean_time(records: list[RunRecord]) -> str:
    times = _times(records)
    return f"{duration(sum(times) / len(times))} a run" if times else "no run has ended yet"


def _values(changes: dict[str, object]) -> str:
    return ", ".join(f"{name} {texts([value])[0]}" for name, value in changes.items())


def _name(record: RunRecord, status: str) -> str:
    return f"{record.folder}: {_values(record.cell.changes)}, {status}"
