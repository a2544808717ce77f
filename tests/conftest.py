"""Shared by all tests: one thread each, hypothesis profiles, and what is skipped says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

# Two workers share the cores; torch and numba read these when they are first imported.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

settings.register_profile("bim", deadline=None, max_examples=50)
settings.register_profile("bim-ci", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("bim-ci" if os.environ.get("CI") else "bim")

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BESIDE_THE_CHECKOUT = Path(__file__).parents[2] / "shared" / "data"
NO_BROWSER = "no Chromium: install `chromium`, or set BIM_CHROMIUM to a browser"
NO_DATA = "no data sets: set BIM_DATA to the folder that holds them (see data/README.md)"


def _chromium() -> str | None:
    found = (shutil.which(name) for name in (os.environ.get("BIM_CHROMIUM"), *_BROWSERS) if name)
    return next((path for path in found if path), None)


def _data_folder() -> Path | None:
    folder = Path(os.environ.get("BIM_DATA") or BESIDE_THE_CHECKOUT)
    return folder if folder.is_dir() else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep browser tests on one worker, notebooks among the slow ones, and skip what cannot run."""
    can_browse, has_data = _chromium() is not None, _data_folder() is not None
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("slow")
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
            if not can_browse:
                item.add_marker(pytest.mark.skip(reason=NO_BROWSER))
        if item.get_closest_marker("data") and not has_data:
            item.add_marker(pytest.mark.skip(reason=NO_DATA))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one loud line each how many tests were left out for want of a browser or of data."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason in (NO_BROWSER, NO_DATA):
        count = sum(reason in text for text in skipped)
        if count:
            terminalreporter.write_line(f"!!! {count} TESTS SKIPPED: {reason}", red=True, bold=True)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the Chromium that browser tests launch."""
    path = _chromium()
    if path is None:
        pytest.skip(NO_BROWSER)
    return path


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for all browser tests: a process holds one Playwright at a time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: $BIM_DATA, or shared/data beside the checkout."""
    folder = _data_folder()
    if folder is None:
        pytest.skip(NO_DATA)
    return folder
