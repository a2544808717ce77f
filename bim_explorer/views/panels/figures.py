"""The figures of merit on top of the page, and the run's status: numbers in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn
from panel.viewable import Viewer

from bim_explorer.tasks import TASKS
from bim_explorer.views import theme
from bim_explorer.views.plots.format import metric_label, number

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Metrics that are shares, shown in percent.
_SHARES = ("accuracy", "word_error_rate", "character_error_rate")

#: How a status looks: the class of its chip.
_LOOKS = {
    "running": "good",
    "paused": "muted",
    "starting": "warning",
    "restarting": "warning",
    "diverged": "error",
    "failed": "error",
    "finished": "muted",
}


class Figures(Viewer):
    """The cards: metric, loss, sparsity, firing rate, steps a second, update."""

    def __init__(self, run: RunClient) -> None:
        super().__init__()
        self._run = run
        self._pane = pn.pane.HTML(
            css_classes=["bim-figures-pane"], stylesheets=[theme.stylesheet("page")], **theme.STACK
        )
        self.update()

    def update(self) -> bool:
        """Show the newest figures; whether any changed."""
        latest = self._run.latest
        figures = latest.figures if latest else {}
        html = cards(self._run.values, figures, self._run.update)
        if html == self._pane.object:
            return False
        self._pane.object = html
        return True

    def __panel__(self) -> pn.pane.HTML:
        return self._pane


def cards(values: Mapping[str, Any], figures: Mapping[str, float], update: int) -> str:
    """All cards as HTML."""
    name = TASKS.load(values["task"]).metrics[0]
    metric, validation = (_metric(name, figures.get(key)) for key in ("metric", "validation"))
    rate = figures.get("firing_rate")
    hertz = None if rate is None else 1000.0 * rate / values["dt_ms"]
    shown = [
        ("metric", metric, metric_label(name), f"validation {validation}"),
        ("loss", number(figures.get("loss")), "loss", "nats"),
        (
            "sparsity",
            _percent(figures.get("sparsity")),
            "sparsity",
            f"target {_percent(values['target_sparsity'])}",
        ),
        ("rate", _percent(rate), "firing rate", f"{number(hertz)} Hz"),
        ("speed", number(figures.get("steps_per_second")), "steps / s", "all streams"),
        ("update", number(update, digits=1), "update", f"η {number(values['learning_rate'])}"),
    ]
    return f'<div class="bim-figures">{"".join(_card(*figure) for figure in shown)}</div>'


def status(run: RunClient) -> str:
    """The run's status as HTML: `running · 12 340 steps/s`, and the update number."""
    speed = run.latest.figures.get("steps_per_second") if run.latest else None
    paced = f" · {number(speed)} steps/s" if run.status == "running" and speed else ""
    look = _LOOKS.get(run.status, "muted")
    return (
        '<div class="bim-chips">'
        f'<span class="bim-chip bim-chip-{look}" role="status">{escape(run.status)}{paced}</span>'
        f'<span class="bim-chip">update {number(run.update, digits=1)}</span></div>'
    )


def _card(key: str, value: str, label: str, note: str) -> str:
    return (
        f'<div class="bim-figure bim-figure-{key}">'
        f'<div class="bim-figure-value">{value}</div>'
        f'<div class="bim-figure-label">{label}</div>'
        f'<div class="bim-figure-note">{note}</div></div>'
    )


def _metric(name: str, value: float | None) -> str:
    return _percent(value) if name in _SHARES else number(value)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
