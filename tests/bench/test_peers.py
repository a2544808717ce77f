"""The comparison with other packages: it runs without them, and says what it left out."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[2] / "benchmarks" / "peers"


@pytest.fixture(scope="module")
def peers():
    spec = importlib.util.spec_from_file_location("peers_run", PEERS / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_contender_has_a_program(peers):
    for contenders in peers.COMPARISONS.values():
        assert contenders[0].name.startswith("ours")
        for contender in contenders:
            assert (PEERS / contender.program.split()[0]).is_file(), contender


def test_ours_is_served_and_a_missing_peer_is_named(peers, monkeypatch, capsys):
    ours = peers.Contender("ours", sys.executable, "ours.py stdp-1")
    missing = peers.Contender("snntorch", ".venv-gone/bin/python", "torch_stdp.py snntorch 1")
    monkeypatch.setattr(peers, "COMPARISONS", {"stdp": (ours, missing)})
    rows, ratios = peers.compare("stdp", repeats=1)
    assert [row["contender"] for row in rows] == ["ours"]
    assert rows[0]["steps_per_s"] > 0
    assert ratios == {}
    assert "!!! LEFT OUT: snntorch" in capsys.readouterr().err
