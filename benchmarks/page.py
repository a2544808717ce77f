"""What the page costs and how fast it answers, measured on the served app in a real Chromium.

    speed_ratio         steps/s of the engine with the page open, over the same engine headless:
                        the median of rounds that measure one right after the other, for the
                        speed of a machine wanders
    busy_neighbour_ratio
                        the same for a headless engine beside a bare loop of Python: what a page
                        that only keeps a core busy costs on this machine
    first_data_s        from the request to the first spikes drawn, on a warm server
    slider_to_effect_ms from the slider's release in the browser to the change in the run's log
    back_after_kill_s   from `kill -9` of the worker to its next update

Run `python benchmarks/page.py`; it prints one JSON object and shows progress on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

PROGRAM = str(Path(sys.executable).with_name("bim-explorer"))
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
#: Until speed is steady again after a start or a pause.
WARM_SECONDS = 3.0
#: How often each speed is measured.
ROUNDS = 3
SLIDER = 'input[type=range][aria-label="Balance λ"]'
DRAWN = """() => window.Bokeh?.documents?.some(d => [...d._all_models.values()].some(m =>
    m.type === "ColumnDataSource" && m.data?.image?.[0]?.some?.(v => v > 0)))"""


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """The app on a free port, its spare worker warm."""
    environment = {**os.environ, "BIM_RUNS": str(runs)}
    command = [PROGRAM, "serve", "--port", "0", "--preset", "recall"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        address = re.search(r"http://\S+", line)
        if not address:
            raise SystemExit(f"the server did not start: {line!r}")
        time.sleep(10.0)
        yield address.group()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def last_steps(run: Path) -> int:
    """Time steps done, by the run's newest row of metrics."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return json.loads(lines[-1])["steps"]


def speed(run: Path, seconds: float) -> float:
    """Steps a second over a while."""
    start, before = time.monotonic(), last_steps(run)
    time.sleep(seconds)
    return (last_steps(run) - before) / (time.monotonic() - start)


def newest_run(runs: Path) -> Path:
    """The run folder that was made last."""
    return max(runs.iterdir(), key=lambda folder: folder.stat().st_mtime)


def headless_speed(runs: Path, seconds: float) -> float:
    """Steps a second of `bim-explorer train` with the same preset, once it is up to speed."""
    out = runs / "headless"
    command = [PROGRAM, "train", "--preset", "recall", "--seconds", "600", "--out", str(out)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: last_steps(out) > 0, "the headless run")
        time.sleep(WARM_SECONDS)
        return speed(out, seconds)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
        shutil.rmtree(out)


def beside_a_loop(measured: Callable[[], float]) -> float:
    """What is measured while a bare loop of Python keeps another core busy."""
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        return measured()
    finally:
        loop.kill()
        loop.wait()


def toggle(page: Page, status: str) -> None:
    """Press run or pause, and wait until the page says that it did."""
    page.locator(".bim-toggle button").click()
    page.locator(".bim-chip[role=status]", has_text=status).wait_for()
    time.sleep(WARM_SECONDS)


def wait_until(look: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError, LookupError, json.JSONDecodeError):
            if look():
                return
        time.sleep(0.02)
    raise SystemExit(f"{what} did not come within {seconds:.0f} s")


def slider_to_effect(page: Page, run: Path, times: int = 8) -> list[float]:
    """Milliseconds from each release of the λ slider to the change in the event log."""
    slider, delays = page.locator(SLIDER).first, []
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    page.evaluate(
        "addEventListener('pointerup', () => { window.released = Date.now() }, {capture: true})"
    )
    for index in range(times):
        before = len(changes(run))
        page.mouse.move(
            box["x"] + box["width"] * (0.3 + 0.05 * index), box["y"] + box["height"] / 2
        )
        page.mouse.down()
        page.mouse.up()
        deadline = time.monotonic() + 5.0
        while len(changes(run)) == before and time.monotonic() < deadline:
            time.sleep(0.005)
        at = datetime.fromisoformat(changes(run)[-1]["at"]).timestamp() * 1e3
        delays.append(at - page.evaluate("window.released"))
        time.sleep(0.5)
    return delays


def changes(run: Path) -> list[dict[str, Any]]:
    """The run's live changes so far."""
    lines = (run / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == "set"]


def back_after_kill(run: Path) -> float:
    """Seconds from the worker's death to the run's next row of metrics."""
    workers = [p for p in psutil.process_iter(["cmdline"]) if _writes(p, run)]
    start, rows = time.monotonic(), last_steps(run)
    for worker in workers:
        worker.kill()
    while last_steps(run) <= rows:
        time.sleep(0.02)
        if time.monotonic() - start > 60:
            raise SystemExit("the killed worker did not come back within a minute")
    return time.monotonic() - start


def _writes(process: psutil.Process, run: Path) -> bool:
    try:
        return any(Path(file.path).parent == run for file in process.open_files())
    except psutil.Error:
        return False


def measure(seconds: float, chromium: str) -> dict[str, Any]:
    """All figures of one run of the app."""
    runs = Path(tempfile.mkdtemp(prefix="bim-page-"))
    with served(runs) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1440, "height": 1180})
        complaints: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
        say("first drawn data …")
        start = time.monotonic()
        page.goto(address)
        page.wait_for_function(DRAWN, timeout=60_000, polling=50)
        first = time.monotonic() - start
        run = newest_run(runs)
        time.sleep(8.0)
        rounds: list[tuple[float, float, float]] = []
        for number in range(ROUNDS):
            say(f"speeds, round {number + 1} of {ROUNDS} …")
            watched = speed(run, seconds)
            toggle(page, "paused")
            headless = headless_speed(runs, seconds)
            loaded = beside_a_loop(lambda: headless_speed(runs, seconds))
            rounds.append((watched, headless, loaded))
            toggle(page, "running")
        say("slider release to effect …")
        delays = slider_to_effect(page, run)
        say("kill -9 of the worker …")
        back = back_after_kill(run)
        browser.close()
    return {
        "headless_steps_per_second": [headless for _, headless, _ in rounds],
        "watched_steps_per_second": [watched for watched, _, _ in rounds],
        "speed_ratio": statistics.median(watched / headless for watched, headless, _ in rounds),
        "busy_neighbour_ratio": statistics.median(loaded / free for _, free, loaded in rounds),
        "first_data_s": first,
        "slider_to_effect_ms": {"median": statistics.median(delays), "worst": max(delays)},
        "back_after_kill_s": back,
        "console": complaints,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="time for each speed")
    parser.add_argument("--chromium", default=os.environ.get("BIM_CHROMIUM", "/usr/bin/chromium"))
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.seconds, arguments.chromium)))
