"""From a mark back to its runs: a tooltip, and on a tap the command that opens the run.

The tap is answered in the browser, so it works on a page, in a notebook and in a saved file. The
command stands below the plot, and on the clipboard where the browser allows it.
"""

from __future__ import annotations

from typing import Any

from bokeh.models import CustomJS, TapTool, Title

from bim_explorer.views import theme

COMMAND = "bim-explorer runs show"
_CODE = """
const runs = cb_data.source.data["run"]
const picked = cb_data.source.selected
const index = picked.indices.length ? picked.indices[0] : picked.multiline_indices[0]
if (runs === undefined || index === undefined) return
const command = `${command_name} ${runs[index]}`
line.text = command
if (navigator.clipboard) navigator.clipboard.writeText(command).catch(() => {})
"""
INVITATION = "tap a mark: the command that shows its run"


def tap_hook(dark: bool) -> Any:
    """A HoloViews hook that answers a tap on any mark with a `run` column."""

    def hook(plot: Any, element: Any) -> None:
        figure = plot.handles["plot"]
        if any(isinstance(tool, TapTool) for tool in figure.tools):
            return  # the overlay's other layers have been here
        line = Title(
            text=INVITATION,
            text_font=theme.FONT,
            text_font_size="11px",
            text_font_style="normal",
            text_color=theme.tokens(dark).muted,
            align="left",
            name="bim-run-command",
        )
        figure.add_layout(line, "below")
        code = _CODE.replace("${command_name}", COMMAND)
        figure.add_tools(TapTool(callback=CustomJS(args={"line": line}, code=code)))

    return hook
