"""The board: what the run tells is what its sources hold, sent once and sparingly."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import panel as pn
import pytest
from bokeh.document import Document
from live_run import GROUPS, LiveRun
from panel.io.model import add_to_doc
from pyviz_comms import Comm

from bim_explorer.store.snapshot import Mark
from bim_explorer.views import theme
from bim_explorer.views.board import Board
from bim_explorer.views.live_raster import TILE, WIDTH, expected_groups
from bim_explorer.views.live_window import KEPT, TAKEN
from bim_explorer.views.plots.raster import band_image
from bim_explorer.views.plots.window import WINDOW

PANES = ("raster", "stdp", "sparsity", "loss", "metric")


class Shown:
    """A board on a document, as a session would show it."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.board = Board(run)
        self.doc = Document()
        self.events = []
        self.doc.on_change(self.events.append)

    def show(self, *names: str) -> None:
        self.board.complete()
        for name in names or PANES:
            self.doc.add_root(getattr(self.board, name).get_root(self.doc))

    def rendering(self, name):
        (rendering,) = getattr(self.board, f"_{name}")._renderings.values()
        return rendering

    def data(self, name, label):
        return self.rendering(name).sources[label].data

    def raster(self):
        return np.concatenate(self.data("raster", "spikes")["image"], axis=1)

    def update(self) -> bool:
        self.events.clear()
        return self.board.update()


@pytest.fixture
def shown() -> Shown:
    run = LiveRun()
    run.advance()
    return Shown(run)


def test_first_drawing_already_holds_the_history(shown):
    shown.show("loss", "raster")
    np.testing.assert_array_equal(shown.data("loss", "loss")["update"], [10])
    assert shown.raster().any()


def test_curves_hold_what_the_history_holds(shown):
    shown.show("loss", "metric", "sparsity")
    for _ in range(20):
        shown.run.advance()
        assert shown.update()
    for plot, label, column, name in [
        ("loss", "loss", "loss", "loss"),
        ("metric", "training", "metric", "metric"),
        ("metric", "validation", "metric", "validation"),
        ("metric", "validation points", "metric", "validation"),
        ("sparsity", "sparsity", "sparsity", "sparsity"),
        ("sparsity", "threshold θ (right)", "threshold", "threshold"),
    ]:
        updates, values = shown.run.history.curve(name)
        np.testing.assert_array_equal(shown.data(plot, label)["update"], updates)
        np.testing.assert_array_equal(shown.data(plot, label)[column], values)


def test_page_begins_with_the_raster_and_every_tick_brings_a_plot(shown):
    assert shown.board._raster.drawn
    shown.run.advance()
    assert shown.update()
    assert not shown.board._stdp.drawn
    for name in ("stdp", "sparsity", "loss", "metric"):
        assert not getattr(shown.board, f"_{name}").drawn
        assert shown.update()
        assert getattr(shown.board, f"_{name}").drawn
    assert not shown.update()


def test_nothing_new_sends_nothing(shown):
    shown.show("raster", "loss")
    shown.update()
    assert not shown.update()
    assert not shown.events


def test_raster_is_a_ring_of_the_newest_steps(shown):
    shown.show("raster")
    rng = np.random.default_rng(1)
    for steps in [*rng.integers(1, 400, 12), 1000]:
        shown.run.advance(steps=int(steps))
        shown.update()
        image = shown.raster()
        total = shown.run.spikes.shape[1]
        newest = band_image(shown.run.spikes[:, -WIDTH:], GROUPS)
        ring = np.arange(total - newest.shape[1], total) % WIDTH
        np.testing.assert_array_equal(image[:, ring], newest)
        assert shown.data("raster", "sweep")["step"] == [total % WIDTH]


def test_raster_sends_only_the_columns_that_are_new(shown):
    shown.show()
    shown.run.advance(steps=30)
    shown.update()
    (patched,) = [event for event in shown.events if type(event).__name__ == "ColumnsPatchedEvent"]
    cells = sum(len(values) for _, values in patched.patches["image"])
    assert cells == 30 * sum(rows for _, rows in GROUPS)


def test_raster_colours_only_the_tiles_that_change(shown):
    shown.show("raster")
    shown.run.advance(steps=TILE)
    shown.update()
    (patched,) = [event for event in shown.events if type(event).__name__ == "ColumnsPatchedEvent"]
    tiles = {tile for (tile, _, _), _ in patched.patches["image"]}
    assert 1 <= len(tiles) <= 2


def test_steps_that_never_came_are_blank(shown):
    shown.show("raster")
    run = shown.run
    run.spikes = np.concatenate([run.spikes, np.ones((9, 50), np.uint8)], axis=1)
    run.advance(steps=5)
    shown.update()
    image = shown.raster()
    assert not image[:, 7:57].any()


def test_another_network_is_drawn_with_its_own_rows(shown):
    shown.show("raster")
    shown.run.groups = (("input", 3), ("block 1", 2), ("block 2", 2))
    shown.run.spikes = np.zeros((7, 0), np.uint8)
    shown.run.history.clear()
    shown.run.advance()
    assert shown.update()
    assert shown.raster().shape == (7, WIDTH)


def test_thinned_and_cleared_histories_are_drawn_from_scratch(shown):
    shown.show("loss")
    for _ in range(5):
        shown.run.advance()
    shown.run.history.cut(20)
    assert shown.update()
    np.testing.assert_array_equal(shown.data("loss", "loss")["update"], [10, 20])
    shown.run.history.clear()
    assert shown.update()
    assert len(shown.data("loss", "loss")["update"]) == 0


def test_no_window_is_drawn_for_a_rule_that_is_not_made_of_its_pairs(shown):
    shown.show("stdp")
    assert len(shown.data("stdp", WINDOW)["window"])
    shown.run.pairs = lambda made=shown.run.pairs: replace(made(), pair_scale=0.0)
    shown.run.advance()
    shown.update()
    assert len(shown.data("stdp", WINDOW)["window"]) == 0


def test_a_baselines_raster_is_its_input_alone():
    run = LiveRun(groups=(("input", 5), ("block 1", 4)))
    run.values["model"] = "lstm"
    assert expected_groups(run.values) == (("input", 5),)


def test_window_follows_the_sliders_at_once(shown):
    shown.show("stdp")
    before = np.nanmax(shown.data("stdp", WINDOW)["window"])
    shown.run.values = {**shown.run.values, "a_plus": 2 * shown.run.values["a_plus"]}
    assert shown.update()
    assert np.nanmax(shown.data("stdp", WINDOW)["window"]) == pytest.approx(2 * before)
    assert shown.rendering("stdp").ranges["window"].end >= 2 * before


def test_sampled_synapses_are_kept_for_a_while(shown):
    shown.show("stdp")
    for _ in range(30):
        shown.run.advance()
        shown.update()
    points = shown.data("stdp", "whole change")["change"]
    assert len(points) == KEPT
    total = shown.run.history.pairs.total
    newest = total[:: -(-len(total) // TAKEN)]
    np.testing.assert_array_equal(points[-len(newest) :], newest)


def test_a_change_is_marked_with_old_and_new_value(shown):
    shown.show("loss", "metric", "sparsity")
    shown.run.values["balance"] = 1.0
    shown.run.history.clear()
    shown.update()
    shown.run.change(balance=0.5)
    assert shown.update()
    for plot in ("loss", "metric", "sparsity"):
        assert list(shown.data(plot, "change")["text"]) == ["update 11: balance 1 → 0.5"]


def test_target_is_drawn_through_its_changes(shown):
    shown.show("sparsity")
    shown.run.advance(marks=(Mark(15, {"target_sparsity": 0.8}),))
    shown.update()
    target = shown.data("sparsity", "target")
    np.testing.assert_array_equal(target["update"], [0, 15, 15, 20])
    assert target["sparsity"][-1] == 0.8


def test_points_too_near_to_show_wait_for_the_next(shown):
    shown.show("loss")
    shown.run.advance(updates=100_000)
    shown.update()
    shown.run.advance(updates=10)
    shown.update()
    assert shown.data("loss", "loss")["update"][-1] == 100_010
    shown.run.advance(updates=400)
    shown.update()
    assert list(shown.data("loss", "loss")["update"][-2:]) == [100_020, 100_420]


def test_axis_the_user_zoomed_is_left_alone_until_reset(shown):
    shown.show("loss")
    axis = shown.rendering("loss").ranges["x"]
    axis.start, axis.end = 3, 5
    for _ in range(20):
        shown.run.advance()
        shown.update()
    assert (axis.start, axis.end) == (3, 5)
    assert axis.reset_end >= 210
    axis.start, axis.end = axis.reset_start, axis.reset_end
    shown.run.advance(updates=1000)
    shown.update()
    assert axis.end >= 1210


@pytest.mark.parametrize(
    ("preset", "label"), [("text", "bits per character"), ("recall", "accuracy")]
)
def test_metric_is_the_tasks_own(preset, label):
    shown = Shown(LiveRun(preset))
    shown.show("metric")
    assert shown.rendering("metric").figure.yaxis[0].axis_label == label
    if preset == "recall":
        np.testing.assert_array_equal(shown.data("metric", "chance")["metric"], [0.25, 0.25])


def test_dark_page_gets_its_own_colours(shown):
    shown.show("loss", "raster")
    shown.board.dark = True
    renderers = shown.rendering("loss").figure.renderers
    colours = {getattr(renderer.glyph, "line_color", "") for renderer in renderers}
    assert theme.DARK.loss in colours
    assert shown.data("raster", "bands")["fill_color"][1] == theme.DARK.band(0)
    assert theme.DARK.loss in shown.board._loss._heading.object
    shown.board.dark = False
    assert shown.data("raster", "bands")["fill_color"][1] == theme.LIGHT.band(0)


def test_plot_shown_after_a_change_of_look_has_it(shown):
    shown.show("raster")
    shown.board.dark = True
    other = Document()
    other.add_root(shown.board.raster.get_root(other))
    for rendering in shown.board._raster._renderings.values():
        assert rendering.figure.renderers[0].glyph.color_mapper.palette[0] == theme.DARK.band(0)


def test_second_place_shows_the_same(shown):
    shown.show("loss")
    for _ in range(3):
        shown.run.advance()
        shown.update()
    other = Document()
    other.add_root(shown.board.loss.get_root(other))
    shown.run.advance()
    shown.update()
    one, two = shown.board._loss._renderings.values()
    for rendering in (one, two):
        np.testing.assert_array_equal(
            rendering.sources["loss"].data["update"], [10, 20, 30, 40, 50]
        )


def test_pinned_run_lies_behind_until_it_is_taken_away(shown):
    shown.show("loss")
    shown.board.pin(shown.board.curves())
    np.testing.assert_array_equal(shown.data("loss", "pinned")["update"], [10])
    shown.run.advance()
    assert shown.update()
    shown.board.pin(None)
    assert "pinned" not in shown.rendering("loss").sources


def test_same_network_started_anew_is_not_drawn_anew(shown):
    shown.show()
    figures = [shown.rendering(name).figure for name in PANES]
    shown.run.history.clear()
    shown.run.update, shown.run.spikes = 0, shown.run.spikes[:, :0]
    shown.board.rebuild(shown.run)
    shown.run.advance()
    shown.update()
    assert [shown.rendering(name).figure for name in PANES] == figures
    np.testing.assert_array_equal(shown.data("loss", "loss")["update"], [10])


def test_another_run_takes_the_place_of_the_first(shown):
    shown.show("loss", "metric")
    other = LiveRun("text")
    other.advance(updates=70)
    shown.board.rebuild(other)
    np.testing.assert_array_equal(shown.data("loss", "loss")["update"], [70])
    assert shown.rendering("metric").figure.yaxis[0].axis_label == "bits per character"


def test_pictures_have_words_for_those_who_cannot_see_them(shown):
    shown.show()
    for name in PANES:
        attributes = shown.rendering(name).figure.html_attributes
        assert attributes["role"] == "figure"
        assert len(attributes["aria-label"]) > 20


def test_board_of_a_run_that_has_not_begun_can_be_drawn():
    shown = Shown(LiveRun())
    shown.show()
    assert not shown.update()
    shown.run.advance()
    assert shown.update()


class Wire(Comm):
    """What a notebook's page would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self._comm = True
        self.messages: list[str] = []

    def init(self, on_msg=None) -> None:
        """It is open from the start."""

    def send(self, data=None, metadata=None, buffers=()) -> None:
        self.messages.append(str(data))


def test_notebook_cell_is_sent_what_is_new_and_nothing_else(shown):
    shown.board.complete()
    cell, wire = pn.Column(shown.board.raster, shown.board.loss), Wire()
    add_to_doc(cell.get_root(shown.doc, wire), shown.doc, hold=True)
    shown.run.advance()
    shown.update()
    sent = " ".join(wire.messages)
    assert "ColumnsPatched" in sent
    assert "ColumnsStreamed" in sent
    wire.messages.clear()
    shown.update()
    assert not wire.messages


def test_board_that_nobody_holds_is_freed():
    shown = Shown(LiveRun())
    shown.show("loss")
    board = weakref.ref(shown.board)
    shown.doc.clear()
    del shown
    gc.collect()
    assert board() is None
