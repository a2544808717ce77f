"""What `event_driven` needs is said in one sentence, and a run never gets into a state it can't."""

from __future__ import annotations

import pytest

from bim_explorer.config import Config
from bim_explorer.config.event_driven import NEEDS
from bim_explorer.core.errors import ConfigError

EVENT = {**NEEDS, "event_driven": True}


def test_its_conditions_are_enough():
    assert Config(**EVENT).event_driven
    assert Config(**EVENT, n_blocks=2, credit="local").event_driven


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunk", 8),
        ("batch", 2),
        ("optimizer", "adam"),
        ("clip", 1.0),
        ("balance", 0.5),
        ("learn", "synapses"),
        ("as_printed_update", True),
        ("psp_kernel", "alpha"),
        ("target_sparsity", 0.5),
        ("credit", "truncated"),
        ("n_blocks", 2),
    ],
)
def test_a_change_that_breaks_one_is_refused_and_names_the_remedy(name, value):
    config = Config(**EVENT)
    named = "credit=local" if name == "n_blocks" else f"{name}="
    with pytest.raises(ConfigError, match=f"event_driven needs .*{named}.*event_driven=false"):
        config.change({name: value})
    assert config.values() == Config(**EVENT).values()
    config.change({"event_driven": False, name: value})
    assert getattr(config, name) == value


def test_all_that_is_in_the_way_is_named_at_once():
    with pytest.raises(ConfigError, match="chunk=1, batch=1, optimizer=sgd, got chunk=8, batch="):
        Config(event_driven=True)
