from __future__ import annotations

import math

from bim_explorer.service.pace import SNAPSHOT_SECONDS, Pace, Shutter


def test_a_paused_run_waits_for_ever() -> None:
    assert Pace().wait(5.0) == math.inf


def test_full_speed_never_waits() -> None:
    pace = Pace()
    pace.run()
    pace.done(1.0)
    assert pace.wait(1.0) == 0.0


def test_updates_keep_their_distance_and_do_not_catch_up() -> None:
    pace = Pace()
    pace.limit(10.0)
    pace.run()
    pace.done(1.0)
    assert math.isclose(pace.wait(1.0), 0.1)
    pace.done(5.0)  # late, as after a long checkpoint
    assert math.isclose(pace.wait(5.05), 0.05)
    pace.limit(None)
    assert pace.wait(5.05) == 0.0


def test_steps_are_counted_and_a_pause_forgets_them() -> None:
    pace = Pace()
    pace.step(2)
    pace.done(0.0)
    assert pace.active
    pace.done(0.0)
    assert not pace.active
    pace.step(5)
    pace.pause()
    assert not pace.active


def test_a_snapshot_needs_news_time_and_the_last_one_seen() -> None:
    shutter = Shutter()
    assert shutter.wait(0.0) == math.inf
    shutter.news()
    assert shutter.wait(0.0) == 0.0
    shutter.passed(0.0)
    shutter.news()
    assert shutter.wait(1.0) == math.inf
    shutter.seen()
    assert math.isclose(shutter.wait(0.02), SNAPSHOT_SECONDS - 0.02)
    assert shutter.wait(1.0) == 0.0
