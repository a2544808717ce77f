from __future__ import annotations

import argparse
import json

import pytest

from bim_explorer.cli.settings import config_from
from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError


def parsed(**options) -> argparse.Namespace:
    given = {"preset": None, "config": None, "set": [], "seed": None, **options}
    return argparse.Namespace(**given)


def test_an_option_wins_over_set_and_set_over_the_preset():
    args = parsed(preset="recall", set=["chunk=4", "seed=1", "delay=9", "delay=11"], seed="2")
    config = config_from(args, chunk=None, dtype="float64")
    assert (config.preset, config.credit) == ("recall", "exact")
    assert (config.delay, config.chunk, config.seed, config.dtype) == (11, 4, 2, "float64")
    assert config_from(args, chunk=3).chunk == 3


def test_nothing_given_is_the_default_config():
    assert config_from(parsed()).values() == Config().values()


def test_a_file_of_flat_values_may_start_from_a_preset(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"preset": "text", "chunk": 5}), encoding="utf-8")
    config = config_from(parsed(config=path, set=["d_model=7"]))
    assert (config.task, config.n_blocks, config.chunk, config.d_model) == ("text", 2, 5, 7)


def test_a_runs_config_gives_its_values_as_they_are(tmp_path):
    values = Config(preset="text", n_blocks=3).values() | {"preset": "of another version"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"format": 1, "values": values}), encoding="utf-8")
    assert config_from(parsed(config=path)).values() == values


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", r"mine\.json is no JSON: "),
        ("[1]", r"mine\.json must hold an object of parameters, got \[1\]"),
        ('{"dealy": 1}', "unknown parameter 'dealy'"),
        ('{"values": {"delay": 0}}', "delay must be ≥ 1, got 0"),
        (b"\xff", r"mine\.json is no JSON: "),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, complaint):
    path = tmp_path / "mine.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=complaint):
        config_from(parsed(config=path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.json cannot be read: No such file"):
        config_from(parsed(config=tmp_path / "gone.json"))
