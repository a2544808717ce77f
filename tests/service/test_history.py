from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bim_explorer.service.history import MARKS, History
from bim_explorer.service.kept import CURVE_POINTS, RASTER_COLUMNS, SMALL_GAP, KeptCurve, RasterRing
from bim_explorer.store.snapshot import Mark, Raster, Snapshot


def snapshot(update: int, **more) -> Snapshot:
    return Snapshot(update, update * 8, "running", "", {}, {}, **{"curves": {}, **more})


def points(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    updates = np.arange(first, last + 1)
    return updates, updates / 2


def raster(end: int, n: int, rows: int = 2) -> Raster:
    """Columns whose content tells their step."""
    steps = np.arange(end - n, end)
    return Raster((("input", rows),), np.tile(steps % 251, (rows, 1)).astype(np.uint8), end)


def test_a_reader_that_asks_for_what_is_new_gets_every_point_once() -> None:
    history, seen, index = History(), [], 0
    for first in range(1, 300, 30):
        history.add(snapshot(first, curves={"loss": points(first, first + 29)}))
        updates, values, index = history.curve_since("loss", index)
        assert np.array_equal(values, updates / 2)
        seen += list(updates)
    assert seen == list(range(1, 301))
    assert history.curve_since("loss", index)[2] == index
    assert len(history.curve("unknown")[0]) == 0


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12))
def test_a_curve_stays_bounded_evenly_spaced_and_from_the_start(sizes: list[int]) -> None:
    curve, last, thinned = KeptCurve(), 0, False
    for size in sizes:
        thinned |= curve.extend(*points(last + 1, last + size))
        last += size
    updates, values, kept = curve.since(0)
    assert kept == len(updates) <= CURVE_POINTS
    assert updates[0] == 1
    assert len(set(np.diff(updates))) <= 1
    assert np.array_equal(values, updates / 2)
    assert thinned == (last > CURVE_POINTS)
    spacing = updates[1] - updates[0] if kept > 1 else 1
    assert last - updates[-1] < spacing


def test_a_curve_takes_a_whole_past_at_once() -> None:
    curve = KeptCurve()
    assert curve.extend(*points(1, 1_000_000))
    updates, _, kept = curve.since(0)
    assert CURVE_POINTS / 2 <= kept <= CURVE_POINTS
    assert updates[-1] > 999_000


def test_thinning_raises_the_generation_and_appending_does_not() -> None:
    history = History()
    before = history.generation
    history.add(snapshot(1, curves={"loss": points(1, CURVE_POINTS)}, raster=raster(100, 100)))
    after_groups = history.generation
    assert after_groups > before
    history.add(snapshot(2, raster=raster(150, 50), marks=(Mark(3, {"balance": 0.5}),)))
    assert history.generation == after_groups
    history.add(snapshot(3, curves={"loss": points(CURVE_POINTS + 1, CURVE_POINTS + 1)}))
    assert history.generation == after_groups + 1


def test_a_cut_forgets_what_comes_again_and_keeps_the_marks() -> None:
    history = History()
    marks = (Mark(8, {"balance": 0.5}),)
    history.add(snapshot(9, curves={"loss": points(1, 9)}, raster=raster(72, 72), marks=marks))
    generation = history.generation
    history.cut(5)
    assert history.generation > generation
    assert list(history.curve("loss")[0]) == [1, 2, 3, 4, 5]
    history.add(snapshot(9, curves={"loss": points(6, 9)}, raster=raster(32, 32), marks=marks))
    assert list(history.curve("loss")[0]) == list(range(1, 10))
    assert history.marks == marks
    assert history.raster_since(0)[0].shape == (2, 32)


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(1, 600)), min_size=1, max_size=10))
def test_the_ring_holds_the_newest_columns(pieces: list[tuple[int, int]]) -> None:
    """Small gaps are silent columns; behind a large one the ring starts anew."""
    ring, expected, start, end = RasterRing(2), {}, 0, 0
    for gap, n in pieces:
        if gap > SMALL_GAP or not expected:
            start = end + gap
        piece = raster(end + gap + n, n)
        expected |= dict.fromkeys(range(end, end + gap), 0)
        expected |= {step: step % 251 for step in range(end + gap, piece.end)}
        end = piece.end
        assert not ring.append(piece.spikes, end)
    columns, first = ring.since(0)
    assert first == max(start, end - RASTER_COLUMNS, 0)
    assert list(columns[0]) == [expected[step] for step in range(first, end)]


def test_columns_are_handed_out_once() -> None:
    history = History()
    history.add(snapshot(1, raster=raster(300, 300)))
    columns, first = history.raster_since(250)
    assert (columns.shape, first) == ((2, 50), 250)
    assert history.raster_since(history.raster_end)[0].shape == (2, 0)
    history.add(snapshot(2, raster=raster(1400, 100)))
    columns, first = history.raster_since(300)
    assert (columns.shape, first, history.raster_end) == ((2, 100), 1300, 1400)


def test_a_raster_that_goes_back_is_drawn_anew() -> None:
    history = History()
    history.add(snapshot(1, raster=raster(900, 300)))
    generation = history.generation
    history.add(snapshot(2, raster=raster(40, 40)))
    assert history.generation > generation
    assert history.raster_since(0)[0].shape == (2, 40)
    history.add(snapshot(3, raster=raster(80, 40, rows=5)))
    assert history.raster_groups == (("input", 5),)
    assert history.raster_since(0)[0].shape == (5, 40)


def test_handed_out_arrays_are_copies() -> None:
    history = History()
    history.add(snapshot(1, curves={"loss": points(1, 5)}, raster=raster(10, 10)))
    history.curve("loss")[1][:] = -1
    history.raster_since(0)[0][:] = 1
    assert history.curve("loss")[1][0] == 0.5
    assert history.raster_since(0)[0][0, 0] == 0


def test_marks_are_merged_by_update_and_bounded() -> None:
    history = History()
    history.add(snapshot(1, marks=(Mark(2, {"balance": 0.5}), Mark(2, {"a_plus": 1.5}))))
    assert history.marks == (Mark(2, {"balance": 0.5, "a_plus": 1.5}),)
    history.add(snapshot(1, marks=tuple(Mark(u, {"balance": 0.1}) for u in range(3, MARKS + 10))))
    assert len(history.marks) == MARKS
    assert history.marks[-1].update == MARKS + 9


def test_readers_and_the_writer_do_not_meet_half_done_work() -> None:
    history, faults, done = History(), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            updates, values = history.curve("loss")
            if not np.array_equal(values, updates / 2):
                faults.append(updates)

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(1, 20_000, 50):
        history.add(snapshot(first, curves={"loss": points(first, first + 49)}))
    done.set()
    reader.join()
    assert not faults
