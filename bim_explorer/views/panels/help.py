"""The help dialog: the keys, and what each plot shows."""

from __future__ import annotations

import panel as pn
import panel_material_ui as pmui

from bim_explorer.views import theme
from bim_explorer.views.panels.browser import SHORTCUTS

_PLOTS = {
    "Spike raster": "The newest steps of stream 0: a row is a neuron, a dot a spike; the input at "
    "the bottom, the blocks above it. The line sweeps as new columns come in.",
    "Δw versus Δt": "The STDP window as it is set (line), and what the last update did to sampled "
    "synapses (dots): the STDP part, the gradient part and the whole change, each at the time "
    "from the presynaptic to the postsynaptic spike.",
    "Sparsity": "The share of pruned synapses, its target (dashed) and the threshold θ.",
    "Loss": "Mean loss of the supervised steps, in nats.",
    "Metric": "What the task is judged by, while training (line) and on held-out data (dots); "
    "the thin line is guessing.",
}

_NOTES = (
    "A dotted line marks an update at which a parameter was changed.",
    "A slider acts when it is released; the field beside it takes any value within the bounds.",
    "What is listed under “on reset” needs a new network and waits for “Apply and restart”.",
    "Closing the page leaves the run going, and its address leads back to it.",
)


def help_dialog() -> pmui.Dialog:
    """The dialog, closed."""
    return pmui.Dialog(
        pn.pane.HTML(help_text(), stylesheets=[theme.stylesheet("page")], **theme.TEXT),
        title="Keys and plots",
        title_variant="h5",
        show_close_button=True,
        close_on_click=True,
        css_classes=["bim-help-dialog"],
        width_option="sm",
    )


def help_text() -> str:
    """What the dialog says, as HTML."""
    keys = "".join(f"<kbd>{key}</kbd><span>{what}</span>" for key, what in SHORTCUTS.items())
    plots = "".join(f"<dt>{title}</dt><dd>{what}</dd>" for title, what in _PLOTS.items())
    notes = " ".join(_NOTES)
    parts = (f'<div class="bim-keys">{keys}</div>', f"<dl>{plots}</dl>", f"<p>{notes}</p>")
    return f'<div class="bim-help">{"".join(parts)}</div>'
