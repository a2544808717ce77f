"""Plots of lessons: every label and unit is drawn, and so is every point."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import CustomJSTickFormatter, FixedTicker

from bim_explorer.views import theme
from bim_explorer.views.plots.lines import bars_plot, lines_plot, matrix_plot

hv.extension("bokeh", logo=False)

X = np.arange(5.0)
AXES = {"title": "A title", "xlabel": "time (ms)", "ylabel": "V (thresholds)"}
PLOTS = {
    "lines": lambda dark=False: lines_plot({"a": (X, X), "b": (X, -X)}, **AXES, dark=dark),
    "bars": lambda dark=False: bars_plot(
        {"one": {"p": 1.0, "q": -2.0}, "two": {"p": 3.0}}, title="A title", ylabel="V", dark=dark
    ),
    "matrix": lambda dark=False: matrix_plot(np.eye(3, 4), **AXES, unit="w (1)", dark=dark),
}


@pytest.mark.parametrize("name", PLOTS)
class TestEveryPlot:
    def test_names_what_is_seen(self, name):
        figure = hv.render(PLOTS[name]())
        assert figure.title.text == "A title"
        assert figure.yaxis[0].axis_label.startswith("V")

    def test_formats_its_numbers_as_the_page_does(self, name):
        figure = hv.render(PLOTS[name]())
        free = [a for a in [*figure.xaxis, *figure.yaxis] if not isinstance(a.ticker, FixedTicker)]
        assert free
        assert all(isinstance(axis.formatter, CustomJSTickFormatter) for axis in free)

    def test_has_a_dark_look(self, name):
        light, dark = (hv.render(PLOTS[name](dark)).title.text_color for dark in (False, True))
        assert (light, dark) == (theme.LIGHT.text, theme.DARK.text)


def test_a_level_is_grey_and_takes_no_colour_from_the_curves():
    plot = lines_plot(
        {"level": (X, X), "a": (X, -X)}, points={"b": (X, X)}, behind=["level"], **AXES
    )
    look = theme.LIGHT
    colours = [hv.Store.lookup_options("bokeh", e, "style").kwargs["color"] for e in plot]
    assert colours == [look.muted, look.band(0), look.band(1)]


def test_bars_of_a_thing_stand_side_by_side():
    boxes = [element.columns() for element in PLOTS["bars"]()]
    np.testing.assert_allclose(boxes[0]["x1"][0], boxes[1]["x"][0])
    assert [list(b["name"]) for b in boxes] == [["p", "q"], ["p"]]
    heights = boxes[0]["y"] + boxes[0]["y1"]
    np.testing.assert_allclose(heights, [1.0, -2.0])


def test_zero_has_the_middle_colour_of_a_matrix():
    (image,) = matrix_plot(np.array([[-1.0, 0.0, 3.0]]), **AXES, unit="w")
    assert hv.Store.lookup_options("bokeh", image, "plot").kwargs["clim"] == (-3.0, 3.0)
