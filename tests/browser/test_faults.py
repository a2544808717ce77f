"""What the page does when the engine dies under it, or learning does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from served import wait_for

pytestmark = pytest.mark.browser


def test_killed_engine_comes_back_with_its_run(visitor):
    visitor.pause()
    folder, update = visitor.folder, visitor.update
    visitor.press("toggle")
    wait_for(lambda: visitor.update > update + 3, "updates after the checkpoint")
    visitor.server.worker_of(folder).kill()
    expect(visitor.page.locator(".bim-notices")).to_contain_text("went on from its checkpoint")
    wait_for(lambda: visitor.update > update + 6, "the run to go on")
    assert visitor.folder == folder
    visitor.enter("balance", "0.5")
    wait_for(lambda: visitor.acknowledged().get("balance") == 0.5, "a change after the loss")


def test_divergence_is_explained_and_reset_mends_it(visitor):
    visitor.enter("optimizer", "sgd")
    visitor.enter("learning_rate", "1")
    visitor.enter("as_printed_update", True)
    expect(visitor.page.locator(".bim-chip-error")).to_contain_text("diverged")
    expect(visitor.page.locator(".bim-note-error")).to_be_visible()
    for name, value in {"learning_rate": "1e-3", "as_printed_update": True}.items():
        visitor.enter(name, value)
    before = visitor.folder
    visitor.press("reset")
    wait_for(lambda: visitor.folder != before, "a new run")
    wait_for(lambda: "running" in visitor.status, "it to learn")
