"""The plot of a record beside its spikes: hidden without one, drawn once, gone with its run."""

from __future__ import annotations

import numpy as np
from bokeh.document import Document
from live_run import LiveRun

from bim_explorer.store.snapshot import Sample
from bim_explorer.views.board import FIRST_SPIKES, Board


def sample(steps=50):
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(steps, 3)).astype(np.float32)
    return Sample(signal, (rng.random((steps, 8)) < 0.2).astype(np.uint8))


def test_it_is_hidden_without_a_record():
    board = Board(LiveRun())
    board.complete()
    assert not board.sample.visible


def test_a_record_is_drawn_once_and_goes_with_its_run():
    run = LiveRun()
    board, doc = Board(run), Document()
    board.complete()
    doc.add_root(board.sample.get_root(doc))
    run.history.sample = sample()
    ticks = [board.update() for _ in range(FIRST_SPIKES + 2)]
    assert any(ticks)
    assert board.sample.visible
    plot = board._sample
    images = [e for e in plot._plot.object if type(e).__name__ == "Image"]
    assert images[0].dimension_values("z", flat=False).shape == (8, 50)
    assert "3 signal channels" in plot.description()
    assert not board._sample.update()
    board.dark = True
    other = LiveRun()
    board.rebuild(other)
    assert not board.sample.visible
