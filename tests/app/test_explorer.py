"""The whole page without a browser: address, joining, ticks, restarts, refusals."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import weakref
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import panel as pn
import pytest
from fake_run import FakeHub

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError
from bim_explorer.views import serve as serve_module
from bim_explorer.views import shell
from bim_explorer.views.explorer import Explorer
from bim_explorer.views.serve import page


@contextmanager
def address(search):
    """A session whose browser shows this query."""
    location = pn.io.location.Location(search=search)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(pn.state), "location", property(lambda _: location))
        yield


@pytest.fixture
def told(monkeypatch):
    sentences = []
    for module in ("bim_explorer.views.explorer", "bim_explorer.views.panels.border"):
        monkeypatch.setattr(f"{module}.tell", lambda text, kind="info": sentences.append(text))
    return sentences


def test_page_runs_what_its_address_asks_for():
    hub = FakeHub()
    with address("?preset=text&balance=0.5"):
        explorer = Explorer(hub=hub)
    assert (hub.runs[0].values["task"], hub.runs[0].values["balance"]) == ("text", 0.5)
    assert explorer._browser.query == "?preset=text&balance=0.5&run=run0&theme=default"


def test_address_of_a_living_run_joins_it():
    hub = FakeHub()
    run = hub.start(Config(preset="half").values())
    with address(f"?preset=half&d_model=32&run={run.id}"):
        explorer = Explorer(hub=hub)
    assert explorer.run is run
    assert len(hub.runs) == 1
    assert explorer.session.pending == {"d_model": 32}


def test_address_of_an_ended_run_starts_a_new_one_and_says_so(told):
    hub = FakeHub()
    with address("?run=gone"):
        explorer = Explorer(hub=hub)
    assert explorer.run is hub.runs[0]
    assert told == ["Run gone has ended; this is a new one."]


def test_bad_parts_of_an_address_are_told(told):
    with address("?balance=7"):
        Explorer(hub=FakeHub())
    assert "balance must be ≤ 1.0" in told[0]


def test_address_follows_the_controls():
    explorer = Explorer(Config(preset="recall"), FakeHub())
    explorer.session.change({"balance": 0.5})
    explorer.session.change({"d_model": 32})
    assert "balance=0.5&d_model=32" in explorer._browser.query
    explorer.page.dark_theme = True
    assert explorer._browser.query.endswith("theme=dark")
    assert explorer.board.dark


def test_tick_shows_news_once():
    explorer = Explorer(Config(preset="recall"), FakeHub())
    explorer.board.complete()
    explorer.run.show(loss=1.5, metric=0.25, sparsity=0.0, firing_rate=0.1)
    assert explorer._tick()
    assert "25.0 %" in explorer._figures.__panel__().object
    assert not explorer._tick()


def test_new_start_says_where_the_run_before_is_kept(told):
    explorer = Explorer(Config(preset="recall"), FakeHub())
    explorer.board.complete()
    folder = explorer.run.folder
    explorer.session.take_preset("text")
    assert told == [f"The run before is kept in {folder}."]
    assert "Bits per character" in explorer.board.metric[0].object


def test_keys_drive_the_run():
    explorer = Explorer(Config(preset="recall"), FakeHub())
    for key in ("Space", "s"):
        explorer._browser._handle_msg({"key": key})
    assert [name for name, _ in explorer.run.sent] == ["pause", "step"]
    explorer.session.change({"balance": 0.5})
    explorer._browser._handle_msg({"key": "z"})
    assert explorer.session.config.balance == 1.0
    explorer._browser._handle_msg({"key": "?"})
    assert explorer._help.open


def test_shared_link_names_no_run(told):
    explorer = Explorer(Config(preset="recall", balance=0.5), FakeHub())
    explorer._browser._send_msg = Mock()
    explorer._share()
    explorer._browser._send_msg.assert_called_once_with({"copy": "?preset=recall&balance=0.5"})
    explorer._browser._handle_msg({"link": "http://x/?preset=recall", "done": False})
    assert "http://x/?preset=recall" in told[0]


def test_full_server_offers_its_runs():
    hub = FakeHub(room=1)
    run = hub.start(Config(preset="half").values())
    refused = page(Config(preset="recall"), hub)
    text = refused.main[0][0].object
    assert "as many as this server allows" in text
    assert f"?run={run.id}" in text


def test_fault_becomes_a_sentence_and_a_log_entry(monkeypatch, caplog):
    monkeypatch.setattr(serve_module, "Explorer", Mock(side_effect=ZeroDivisionError("oh")))
    text = page(None, FakeHub()).main[0][0].object
    assert "ZeroDivisionError" in text
    assert caplog.records[0].exc_info


def test_page_has_no_part_twice_and_renders():
    explorer = Explorer(Config(preset="recall"), FakeHub())
    explorer.page.get_root()
    classes = [c for part in explorer.page.select() for c in getattr(part, "css_classes", [])]
    for name in ("bim-controls", "bim-toggle", "bim-figures-pane", "bim-raster", "bim-metric"):
        assert classes.count(name) == 1


def test_views_leave_torch_alone():
    code = "import bim_explorer.views.serve, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_app_is_short():
    app = Path(__file__).parents[2] / "apps" / "explorer.py"
    assert len(app.read_text(encoding="utf-8").splitlines()) < 80


def test_taken_port_is_refused_in_one_sentence():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"^port \d+ of localhost cannot be used"):
            serve_module.serve(port=taken.getsockname()[1])


def test_page_that_nobody_holds_is_freed():
    page = weakref.ref(shell.page([], [], False))
    gc.collect()
    assert page() is None


def test_new_run_waits_for_its_page_and_a_joined_one_does_not():
    hub = FakeHub()
    explorer = Explorer(Config(preset="recall"), hub)
    explorer.feed._begin()
    explorer.feed._begin()
    assert [name for name, _ in explorer.run.sent] == ["resume"]
    with address(f"?run={explorer.run.id}"):
        joined = Explorer(hub=hub)
    joined.feed._begin()
    assert [name for name, _ in joined.run.sent] == ["resume"]
