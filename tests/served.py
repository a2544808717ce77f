"""A server as users start it, and a visitor who uses its page as they do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlparse

import psutil
from playwright.sync_api import Browser, Locator, expect

#: Seconds that anything on a busy machine may take.
PATIENCE = 60.0
#: A network that leaves the machine to the browser.
SMALL = {"batch": 2, "d_model": 16, "d_state": 2, "code_size": 16, "code_active": 4}

#: The command line, ended when the tests that hold its standard input are gone.
SERVE = """
import os, signal, sys, threading
from bim_explorer.cli import main

def end_with_the_tests():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_the_tests, daemon=True).start()
sys.exit(main())
"""

WIDE = {"width": 1440, "height": 1180}

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str, seconds: float = PATIENCE) -> Found:
    """Look until something is found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, LookupError, json.JSONDecodeError):
            found = look()
            if found:
                return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


class Served:
    """`bim-explorer serve` in a process of its own, its runs in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        command = [sys.executable, "-c", SERVE, "serve", "--port", "0", "--preset", "recall"]
        for name, value in SMALL.items():
            command += ["--set", f"{name}={value}"]
        self._log = (folder / "log.txt").open("w")
        environment = {**os.environ, "BIM_RUNS": str(self.runs)}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        address = re.search(r"http://\S+", line)
        assert address, f"{line}\n{Path(self._log.name).read_text()}"
        self.address = address.group()

    def close(self) -> None:
        """End it as Ctrl+C does."""
        self.process.terminate()
        self.process.wait(30)
        self._log.close()

    @property
    def log(self) -> str:
        """What it wrote to stderr."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def folders(self) -> list[Path]:
        """The run folders, the oldest first."""
        return sorted(self.runs.iterdir(), key=lambda folder: folder.stat().st_ctime)

    def worker_of(self, folder: Path) -> psutil.Process:
        """The process that writes a run folder."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if any(Path(file.path).parent == folder for file in child.open_files()):
                    return child
        raise AssertionError(f"no worker writes {folder}")


class Visitor:
    """A person at a browser."""

    def __init__(self, server: Served, browser: Browser, **context: Any) -> None:
        self.server = server
        self.context = browser.new_context(**{"viewport": WIDE, **context})
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.set_default_timeout(1000 * PATIENCE)
        expect.set_options(timeout=1000 * PATIENCE)
        self.page = self.context.new_page()
        self._complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._complaints.append(str(error)))
        self.page.on("request", self._asked)

    def open(self, query: str = "") -> None:
        """Open the page and wait until plots and run are there."""
        self.page.goto(self.server.address + query)
        self.page.locator(".bim-raster canvas").first.wait_for()
        wait_for(lambda: self.update >= 0 and "starting" not in self.status, "a network")
        if "run=" not in query:  # a new run begins by itself as soon as its page has loaded
            wait_for(lambda: "running" in self.status, "a running network")

    def close(self) -> None:
        """Leave."""
        self.context.close()

    def complaints(self) -> list[str]:
        """Warnings and errors of the console, and requests to other machines, since last asked."""
        heard, self._complaints = self._complaints, []
        return heard

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.server.address, "blob:", "data:")):
            self._complaints.append(f"request to {request.url}")

    @property
    def status(self) -> str:
        """The status chip."""
        return self.page.locator(".bim-chip[role=status]").inner_text()

    @property
    def update(self) -> int:
        """The update number on the page."""
        text = self.page.locator(".bim-chip").last.inner_text()
        return int(re.sub(r"\D", "", text) or -1)

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the address bar."""
        address = urlparse(self.page.evaluate("location.href"))
        return {name: values[0] for name, values in parse_qs(address.query).items()}

    @property
    def folder(self) -> Path:
        """The newest run folder."""
        return self.server.folders()[-1]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the worker wrote into the log of the newest run."""
        lines = (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    def acknowledged(self) -> dict[str, Any]:
        """All values that the worker took over in the newest run, the newest of each."""
        return {
            name: value for event in self.events("set") for name, value in event["values"].items()
        }

    def started_with(self) -> dict[str, Any]:
        """The values that the newest run began with."""
        return json.loads((self.folder / "config.json").read_text(encoding="utf-8"))["values"]

    def press(self, name: str) -> None:
        """Click a button of the page."""
        self.page.locator(f".bim-{name} button").click()

    def pause(self) -> None:
        """Pause if it runs."""
        if "running" in self.status:
            self.press("toggle")
            wait_for(lambda: self.status in ("paused", "diverged"), "a pause")

    def control(self, name: str) -> Locator:
        """The control of a parameter."""
        return self.page.locator(f".control[data-name={name}]")

    def uncover(self, name: str) -> Locator:
        """The control of a parameter, its card of the sidebar opened if it is closed."""
        control = self.control(name)
        card = self.page.locator("details.card").filter(has=control)
        if card.get_attribute("open") is None:
            card.locator("summary").first.click()
        return control

    def pick(self, select: str, option: str) -> None:
        """Choose from a drop-down."""
        self.page.locator(f".bim-{select} [role=combobox]").click()
        self.page.locator(f".MuiMenuItem-root span:text-is('{option}')").click()

    def enter(self, name: str, value: Any) -> None:
        """Use a control: type, choose or switch."""
        control = self.uncover(name)
        if isinstance(value, bool):
            control.locator("input[type=checkbox]").click()
        elif control.locator("input[type=radio]").count():
            control.locator("label", has_text=re.compile(f"^{re.escape(str(value))}$")).click()
        else:
            control.locator(".field").fill(str(value))
            control.locator(".field").press("Enter")

    def told(self, text: str) -> None:
        """Expect a notification."""
        self.page.get_by_text(text).first.wait_for()
