"""What the page says about the settings in force: facts that a reader would else misread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn
from panel.viewable import Viewer

from bim_explorer.store.snapshot import Mark
from bim_explorer.views import theme

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

#: Sparsity above its target by more than this is worth a word.
_ABOVE = 0.01
_BASELINE = (
    "Model {}: a baseline trained by truncated BPTT over each chunk. It has no spikes, no synapses "
    "to see or prune and no local rule: the raster shows its input alone, the STDP plot stays "
    "empty, and λ, credit, STDP, pruning and neuron do nothing."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence and its weight: "info", "warning" or "error"."""

    kind: str
    text: str


def notices(
    values: Mapping[str, Any], marks: Sequence[Mark], sparsity: float | None
) -> list[Notice]:
    """What there is to say about a run.

    Args:
        values: The values in force.
        marks: Its live changes so far.
        sparsity: Its sparsity now, None while unknown.
    """
    if values["model"] != "bim":
        return [Notice("info", _BASELINE.format(values["model"]))]
    said = [
        *_printed_signs(values),
        *_balance(values),
        *_local_rule(values),
        *_credit(values, marks),
    ]
    stuck = sparsity is not None and sparsity > values["target_sparsity"] + _ABOVE
    if stuck and values["regrow"] == "off" and not values["as_printed_pruning"]:
        text = "Pruned synapses stay pruned: switch on Regrow to come down to the target."
        said.append(Notice("info", text))
    return said


def _printed_signs(values: Mapping[str, Any]) -> list[Notice]:
    said = []
    if values["as_printed_update"]:
        text = "Update as printed: eq. 4 adds the gradient, so the loss rises until learning stops."
        said.append(Notice("warning", text))
    if values["as_printed_pruning"]:
        text = (
            "Pruning as printed: eq. 9 prunes the strongest synapses, so the threshold runs away."
        )
        said.append(Notice("warning", text))
    return said


def _balance(values: Mapping[str, Any]) -> list[Notice]:
    if values["balance"] > 0:
        return []
    text = (
        "λ = 0: only the synapses W are pure STDP; the rest learns by gradient, readout included."
    )
    return [Notice("info", text)]


def _local_rule(values: Mapping[str, Any]) -> list[Notice]:
    if values["rule"] == "stdp":
        return []
    text = (
        f"Local rule {values['rule']} in the place of eq. 5: the points called STDP are its part, "
        "and the window of eq. 6 is drawn only if it is made of that window's pairs."
    )
    return [Notice("info", text)]


def _credit(values: Mapping[str, Any], marks: Sequence[Mark]) -> list[Notice]:
    switched = [mark for mark in marks if "credit" in mark.values]
    if not switched or values["credit"] != "exact":
        return []
    start = switched[-1].update
    text = f"Exact from here: the influences started at zero at update {start}."
    return [Notice("info", text)]


class Notices(Viewer):
    """The notices of a run, with what the run itself has to say first."""

    def __init__(self, run: RunClient) -> None:
        super().__init__()
        self._run = run
        self._pane = pn.pane.HTML(
            visible=False,
            css_classes=["bim-notices"],
            stylesheets=[theme.stylesheet("page")],
            **theme.STACK,
        )
        self.update()

    def update(self) -> bool:
        """Show what there is to say now; whether that changed."""
        run = self._run
        sparsity = run.latest.figures.get("sparsity") if run.latest else None
        said = notices(run.values, run.history.marks, sparsity)
        if run.message:
            failed = run.status in ("diverged", "failed")
            said.insert(0, Notice("error" if failed else "info", run.message))
        html = "".join(_strip(notice) for notice in said)
        if html == self._pane.object:
            return False
        self._pane.param.update(object=html, visible=bool(html))
        return True

    def __panel__(self) -> pn.pane.HTML:
        return self._pane


def _strip(notice: Notice) -> str:
    return f'<p class="bim-note bim-note-{notice.kind}">{escape(notice.text)}</p>'
