"""Plots: what they say, in which units, in colours that all readers can tell apart."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import CustomJSTickFormatter, FixedTicker, Legend

from bim_explorer.store.snapshot import Mark, Pairs
from bim_explorer.views import theme
from bim_explorer.views.plots.curves import loss_plot, metric_plot, sparsity_plot
from bim_explorer.views.plots.format import number_hook
from bim_explorer.views.plots.legend import heading_html
from bim_explorer.views.plots.marks import mark_columns, value_steps
from bim_explorer.views.plots.raster import (
    MOST_ROWS,
    band_image,
    neurons_per_row,
    raster_plot,
    row_counts,
)
from bim_explorer.views.plots.window import (
    pair_columns,
    stdp_plot,
    window,
    window_columns,
    window_reach,
)

hv.extension("bokeh", logo=False)

WINDOW = {"a_plus": 1.0, "a_minus": 0.5, "tau_plus_ms": 20.0, "tau_minus_ms": 10.0}
POINTS = (np.arange(0.0, 100.0, 10.0), np.linspace(1.0, 0.1, 10))
MARKS = mark_columns([Mark(50, {"balance": 0.5})], {"balance": 1.0})
AXES = {"xlim": (0.0, 100.0), "ylim": (0.0, 1.0)}


def _stdp(dark: bool) -> hv.Overlay:
    pairs = Pairs(3, np.array([-5.0, 0.0, 5.0]), *np.ones((3, 3)) * 1e-4, 1e-3)
    curve = window_columns(WINDOW, 1e-3)
    return stdp_plot(
        curve,
        pair_columns(pairs),
        xlim=(-80, 80),
        ylim=(-1e-2, 1e-2),
        window_lim=(-1e-3, 1e-3),
        dark=dark,
        hooks=[number_hook],
    )


def _raster(dark: bool) -> hv.Overlay:
    groups = (("input", 5), ("block 1", 4))
    image = band_image(np.eye(9, 20, dtype=np.uint8), groups)
    return raster_plot(image, groups, sweep=3, dt_ms=0.5, dark=dark, hooks=[number_hook])


def _metric(dark: bool) -> hv.Overlay:
    name = "bits_per_character"
    return metric_plot(
        name, POINTS, POINTS, MARKS, chance=5.0, dark=dark, hooks=[number_hook], **AXES
    )


PLOTS = {
    "raster": _raster,
    "stdp": _stdp,
    "loss": lambda dark: loss_plot(
        POINTS, MARKS, pinned=POINTS, dark=dark, hooks=[number_hook], **AXES
    ),
    "metric": _metric,
    "sparsity": lambda dark: sparsity_plot(
        POINTS,
        POINTS,
        POINTS,
        MARKS,
        threshold_lim=(0, 1),
        dark=dark,
        hooks=[number_hook],
        **AXES,
    ),
}


@pytest.mark.parametrize("name", PLOTS)
class TestEveryPlot:
    def test_says_what_its_axes_are(self, name):
        figure = hv.render(PLOTS[name](False))
        assert all(axis.axis_label for axis in [*figure.xaxis, *figure.yaxis])
        assert figure.title.text

    def test_lets_the_page_shine_through(self, name):
        figure = hv.render(PLOTS[name](True))
        assert figure.background_fill_alpha == figure.border_fill_alpha == 0

    def test_has_no_legend_over_its_data(self, name):
        figure = hv.render(PLOTS[name](False))
        assert not [part for part in figure.center if isinstance(part, Legend) and part.visible]

    def test_formats_its_numbers_itself(self, name):
        figure = hv.render(PLOTS[name](False))
        free = [a for a in [*figure.xaxis, *figure.yaxis] if not isinstance(a.ticker, FixedTicker)]
        assert free
        assert all(isinstance(axis.formatter, CustomJSTickFormatter) for axis in free)

    def test_can_be_drawn_twice(self, name):
        plot = PLOTS[name](False)
        assert hv.render(plot).id != hv.render(plot).id


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_for_all_eyes(dark):
    okabe_ito = {
        *(theme.ORANGE, theme.SKY, theme.GREEN, theme.YELLOW, theme.BLUE),
        *(theme.VERMILLION, theme.PURPLE),
        "#2CC295",  # the bluish green, lightened for a dark page
    }
    look = theme.tokens(dark)
    assert set(look.bands) <= okabe_ito
    assert len({look.stdp, look.gradient, look.total, look.window}) >= 3
    assert {look.loss, look.metric, look.validation, look.sparsity, look.threshold} <= okabe_ito


def test_every_colour_has_one_twin_in_the_other_look():
    there, back = theme.colours_in(True), theme.colours_in(False)
    assert {new: old for old, new in there.items()} == back


def test_units_are_on_the_axes():
    stdp, raster = hv.render(_stdp(False)), hv.render(_raster(False))
    assert "(ms)" in stdp.xaxis[0].axis_label
    assert "0.5 ms" in raster.xaxis[0].axis_label
    assert hv.render(_metric(False)).yaxis[0].axis_label == "bits per character"


def test_window_is_equation_six():
    delta = np.array([-10.0, -1e-6, 0.0, 20.0])
    expected = [-0.5 * np.exp(-1), -0.5, 1.0, np.exp(-1)]
    np.testing.assert_allclose(window(delta, WINDOW), expected, rtol=1e-6)


def test_window_curve_has_both_arms_and_a_gap():
    curve = window_columns(WINDOW, 2e-3)
    assert np.nanmax(curve["window"]) == pytest.approx(2e-3)
    assert np.nanmin(curve["window"]) == pytest.approx(-1e-3)
    assert np.isnan(curve["delta_t"]).sum() == 1
    assert np.nanmax(curve["delta_t"]) == window_reach(WINDOW) == 80


def test_raster_bands_have_numbers_and_labels():
    groups = (("input", 2), ("block 1", 1))
    spikes = np.array([[1, 0], [0, 1], [1, 1]], np.uint8)
    np.testing.assert_array_equal(band_image(spikes, groups), [[1, 0], [0, 1], [2, 2]])
    figure = hv.render(_raster(False))
    assert set(figure.yaxis[0].major_label_overrides.values()) == {"input · 5", "block 1 · 4"}


def test_raster_draws_row_zero_at_the_bottom():
    figure = hv.render(_raster(False))
    image = figure.renderers[0].data_source.data["image"][0]
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(np.argwhere(image), [[i, i] for i in range(9)])


def test_many_neurons_share_rows_and_no_spike_is_lost():
    groups = (("input", 300), ("block 1", 1001))
    spikes = np.zeros((1301, 3), np.uint8)
    spikes[[0, 299, 300, 1300], [0, 1, 2, 0]] = 1
    image = band_image(spikes, groups)
    assert neurons_per_row(groups) == 3
    assert image.shape == (sum(row_counts(groups)), 3)
    assert image.shape[0] <= MOST_ROWS
    assert np.count_nonzero(image) == 4
    assert set(image[image > 0]) == {1, 2}


def test_marks_tell_what_changed_from_what():
    marks = [Mark(1200, {"balance": 0.5}), Mark(1300, {"balance": 0.25, "credit": "local"})]
    columns = mark_columns(marks, {"balance": 1.0})
    assert list(columns["text"]) == [
        "update 1200: balance 1 → 0.5",
        "update 1300: balance 0.5 → 0.25, credit → local",
    ]


def test_target_is_a_step_line_through_its_changes():
    marks = [Mark(10, {"balance": 1.0}), Mark(20, {"target_sparsity": 0.9})]
    x, y = value_steps(marks, "target_sparsity", 0.5, 40)
    np.testing.assert_array_equal(x, [0, 20, 20, 40])
    np.testing.assert_array_equal(y, [0.5, 0.5, 0.9, 0.9])


def test_heading_names_what_is_drawn_and_nothing_else():
    html = heading_html(PLOTS["loss"](False))
    assert "<h3>Loss</h3>" in html
    assert [label in html for label in (">loss<", ">pinned<", ">change<")] == [True] * 3
    assert "validation points" not in heading_html(_metric(False))
    assert "<li>" not in heading_html(_raster(False))
