from __future__ import annotations

import socket

import pytest


@pytest.fixture
def served(monkeypatch):
    """What the page's server was asked for, without serving."""
    asked = {}

    def serve(config, **options):
        asked.update(options, config=config)

    monkeypatch.setattr("bim_explorer.views.serve.serve", serve)
    return asked


def test_the_page_starts_with_the_recall_preset(cli, served):
    assert cli("serve").code == 0
    config = served.pop("config")
    assert (config.preset, config.delay) == ("recall", 40)
    assert served == {"port": 5006, "address": "localhost", "show": False}


def test_the_page_starts_as_asked(cli, served):
    words = ["--preset", "text", "--set", "chunk=4", "--port", 0, "--address", "::1", "--show"]
    assert cli("serve", *words).code == 0
    config = served.pop("config")
    assert (config.preset, config.chunk) == ("text", 4)
    assert served == {"port": 0, "address": "::1", "show": True}


def test_the_page_may_start_as_a_run_did(cli, served, small_run):
    assert cli("serve", "--config", small_run / "config.json").code == 0
    assert served["config"].d_model == 8


def test_a_port_in_use_is_one_line(cli):
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        answer = cli("serve", "--port", taken.getsockname()[1])
    assert answer.code == 2
    assert "choose another port" in answer.complaint
