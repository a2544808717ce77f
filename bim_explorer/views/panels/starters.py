"""What is learned: the task and the preset, what to watch, and where the data comes from."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewer

from bim_explorer.config import Config, preset_names, read_preset
from bim_explorer.tasks import describe, task_titles
from bim_explorer.views import theme
from bim_explorer.views.panels.border import attempt
from bim_explorer.views.panels.controls import ON_TOP
from bim_explorer.views.state import Session

#: Shown as the preset of values that come from none.
_NO_PRESET = "none"


class Starters(Viewer):
    """Task and preset: picking one starts a new run."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        titles = {read_preset(name).title: name for name in preset_names()}
        tasks = {title: name for name, title in task_titles().items()}
        self._preset = pmui.Select(
            label="Preset", options=titles, css_classes=["bim-preset"], **theme.SELECT
        )
        self._task = pmui.Select(
            label="Task", options=tasks, css_classes=["bim-task"], **theme.SELECT
        )
        self._titles = titles
        self._about = pn.pane.HTML(
            css_classes=["bim-about"], stylesheets=[theme.stylesheet("page")], **theme.TEXT
        )
        self._show()
        session.config.param.watch(self._show, [*ON_TOP, "data"])
        self._preset.param.watch(self._preset_taken, "value")
        self._task.param.watch(self._task_taken, "value")

    def _show(self, *_: Any) -> None:
        config = self._session.config
        none = {} if config.preset else {_NO_PRESET: ""}
        self._preset.param.update(options={**none, **self._titles}, value=config.preset)
        self._task.value = config.task
        self._about.object = about(config)

    def _preset_taken(self, event: Any) -> None:
        if event.new != self._session.config.preset:
            attempt(lambda: self._session.take_preset(event.new))

    def _task_taken(self, event: Any) -> None:
        if event.new != self._session.config.task:
            attempt(lambda: self._session.take_task(event.new))

    def __panel__(self) -> pmui.Column:
        return pmui.Column(self._task, self._preset, self._about, **theme.STACK)


def _select(label: str, options: dict[str, str]) -> pmui.Select:
    return pmui.Select(
        label=label, options=options, css_classes=[f"bim-{label.lower()}"], **theme.SELECT
    )


def about(config: Config) -> str:
    """What to watch and where the data comes from, as HTML."""
    watch = read_preset(config.preset).watch if config.preset else ""
    provenance, synthetic = describe(config.values())
    tag = '<span class="bim-tag">synthetic data</span> ' if synthetic else ""
    source = provenance.removeprefix("Synthetic: ")
    first = f'<p class="bim-watch">{escape(watch)}</p>' if watch else ""
    return f'{first}<p class="bim-hint">{tag}{escape(source[:1].upper() + source[1:])}</p>'
