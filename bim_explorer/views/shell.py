"""The page's frame: controls at the left, transport and figures on top, plots in cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from bim_explorer.views import theme
from bim_explorer.views.board import Board

if TYPE_CHECKING:
    from bim_explorer.service.client import RunClient

TITLE = "BIM Explorer"


def plots(board: Board) -> pn.Column:
    """The raster wide on top, the other plots in pairs below, one column on a narrow screen."""
    return pn.Column(
        board.raster,
        board.stdp,
        board.sparsity,
        board.loss,
        board.metric,
        board.sample,
        css_classes=["bim-board"],
        stylesheets=[theme.stylesheet("page")],
        **theme.STACK,
    )


def page(sidebar: list[Any], main: list[Any], dark: bool) -> pmui.Page:
    """The whole page."""
    page = pmui.Page(
        title=TITLE,
        sidebar=[pn.Column(*sidebar, **theme.SIDEBAR)] if sidebar else [],
        main=[
            pn.Column(
                *main,
                css_classes=["bim-main"],
                stylesheets=[theme.stylesheet("page")],
                **theme.MAIN,
            )
        ],
        stylesheets=[theme.variables(), theme.stylesheet("frame")],
        sidebar_width=theme.SIDEBAR_WIDTH,
        theme_config=theme.theme_config(),
        dark_theme=dark,
        busy_indicator=None,
        meta_description="Watch a spiking selective state space network learn online.",
    )
    _leave_busy_alone(page)
    return page


def _leave_busy_alone(page: pmui.Page) -> None:
    """Cut a page without a busy indicator off from the server's busy state.

    The subscription would keep every page alive for ever, and answer each event of any browser
    with two walks over all models of all pages.
    """
    for watcher in pn.state.param.watchers.get("busy", {}).get("value", [])[:]:
        if getattr(getattr(watcher.fn, "__self__", None), "self", None) is page:
            pn.state.param.unwatch(watcher)


def refusal(text: str, runs: Sequence[RunClient]) -> pmui.Page:
    """The page where no run can be had: why, and the runs that can be joined instead."""
    links = "\n".join(f"- [{_run_name(run)}](?run={run.id})" for run in runs)
    offer = f"\n\nJoin one of them instead:\n\n{links}" if runs else ""
    return page([], [pn.pane.Markdown(f"## No new run\n\n{text}{offer}", **theme.TEXT)], False)


def _run_name(run: RunClient) -> str:
    return f"{run.values['task']}, {run.status} at update {run.update}"
