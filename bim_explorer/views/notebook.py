"""What a notebook needs before it can show plots and pages: JavaScript and icons, once a kernel.

All of it comes out of the installed packages and goes into the cell's output, so a lesson works
in a room without a network. Outside a notebook nothing happens.
"""

from __future__ import annotations

import base64
import sys
from functools import cache
from pathlib import Path

import holoviews as hv
import panel as pn
import panel_material_ui as pmui

from bim_explorer.views import theme

#: Families of the page's icons and the files of panel-material-ui that hold them.
_ICONS = {
    "Material Icons": "material-icons-[A-Z]*.woff2",
    "Material Icons Outlined": "material-icons-outlined-*.woff2",
}


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


@cache
def load() -> None:
    """Prepare the notebook for plots and for `Explorer`; call it before the first of them.

    Example:
        >>> from bim_explorer.views import notebook
        >>> notebook.load()
    """
    inside = in_notebook()
    hv.extension("bokeh", logo=False, inline=inside)  # pyright: ignore[reportCallIssue]
    if inside:
        from IPython.display import HTML, display

        pn.extension(inline=True, raw_css=[theme.stylesheet("icons")])  # pyright: ignore[reportCallIssue]
        display(HTML(f"<style>{icon_fonts()}</style>"))


def icon_fonts() -> str:
    """CSS that carries the icon fonts with it; a style sheet in a cell cannot ask for files."""
    folder = Path(pmui.__file__).parent / "dist"
    faces = []
    for family, pattern in _ICONS.items():
        for file in folder.glob(pattern):
            data = base64.b64encode(file.read_bytes()).decode("ascii")
            source = f"url(data:font/woff2;base64,{data}) format('woff2')"
            faces.append(f"@font-face {{ font-family: '{family}'; src: {source}; }}")
    return "\n".join(faces)
