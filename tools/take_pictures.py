"""Take the README's pictures of the real app: light, dark and narrow, after some learning.

.venv/bin/bim-explorer serve --port 5006 &
.venv/bin/python tools/take_pictures.py http://localhost:5006/ docs/pictures
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

#: Width and height of each picture, and whether its page is dark.
LOOKS = {"light": (1440, 1180, False), "dark": (1440, 1180, True), "narrow": (390, 1600, False)}
#: Updates that are waited for, and milliseconds to wait at the most; time to settle at the end.
UPDATES, PATIENCE_MS, SETTLING_MS = 2_000, 300_000, 6_000


def take(address: str, folder: Path) -> None:
    """One page, photographed in every look."""
    chromium = os.environ.get("BIM_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1180})
        page.goto(address)
        figure = page.locator(".bim-figure-update .bim-figure-value")
        figure.wait_for(timeout=PATIENCE_MS)
        while int("".join(filter(str.isdigit, figure.inner_text()))) < UPDATES:
            page.wait_for_timeout(1_000)
        joined = page.url
        for name, (width, height, dark) in LOOKS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(joined.replace("theme=default", "theme=dark") if dark else joined)
            page.locator(".bim-metric canvas").first.wait_for(timeout=PATIENCE_MS)
            page.wait_for_timeout(SETTLING_MS)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]))
