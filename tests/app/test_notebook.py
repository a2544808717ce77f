"""What a notebook loads: from this machine, once, and nothing outside a kernel."""

from __future__ import annotations

import base64
import re

import holoviews as hv

from bim_explorer.views import notebook


def test_outside_a_kernel_plots_work_and_nothing_else_is_set():
    notebook.load()
    assert not notebook.in_notebook()
    assert hv.Store.current_backend == "bokeh"


def test_the_icons_travel_with_their_style_sheet():
    css = notebook.icon_fonts()
    assert "http" not in css
    found = re.findall(r"'(Material Icons[^']*)'; src: url\(data:font/woff2;base64,([^)]+)\)", css)
    assert [family for family, _ in found] == ["Material Icons", "Material Icons Outlined"]
    assert all(base64.b64decode(data).startswith(b"wOF2") for _, data in found)
