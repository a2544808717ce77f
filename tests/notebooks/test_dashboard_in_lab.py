"""The dashboard of lesson 00 lives in a real JupyterLab, and asks no other machine for anything."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page
from served import wait_for

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
pytestmark = [pytest.mark.slow, pytest.mark.browser]
TOKEN = "lesson"
#: Seconds that all cells of the lesson may take on a busy machine.
PATIENCE = 240.0


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves a copy of lesson 00."""
    shutil.copy(NOTEBOOKS / "00-quick-start.ipynb", tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ip=127.0.0.1", f"--notebook-dir={tmp_path}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--LabApp.news_url="]
    settings = {"JUPYTER_CONFIG_DIR": tmp_path / "config", "BIM_RUNS": tmp_path / "runs"}
    environment = {**os.environ, **{name: str(path) for name, path in settings.items()}}
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: urlopen(f"{address}/api?token={TOKEN}").status == 200, "a JupyterLab")
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _update(page: Page) -> int:
    text = page.locator(".bim-figure-update .bim-figure-value").inner_text(timeout=1000 * PATIENCE)
    return int(re.sub(r"\D", "", text) or 0)


def test_the_dashboard_moves(lab: str, browser: Browser):
    page = browser.new_page(viewport={"width": 1500, "height": 1400})
    strangers: list[str] = []
    page.on(
        "request",
        lambda r: None if r.url.startswith((lab, "blob:", "data:")) else strangers.append(r.url),
    )
    page.goto(f"{lab}/lab/tree/00-quick-start.ipynb?token={TOKEN}&reset")
    page.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for(timeout=1000 * PATIENCE)
    kernel = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first
    kernel.wait_for(timeout=1000 * PATIENCE)
    page.locator(".lm-MenuBar-itemLabel:text-is('Run')").click()
    page.locator("li[data-command='runmenu:run-all']").first.click()
    first = wait_for(lambda: _update(page), "an update", PATIENCE)
    wait_for(lambda: _update(page) > first, "the next updates", PATIENCE)
    assert not [url for url in strangers if url.endswith(".js")]
    page.close()
