"""The audit says what is exact, what is not, and refuses what it cannot judge."""

from __future__ import annotations

import pytest

from bim_explorer.analysis.audit import audit
from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError

SMALL = {"d_model": 10, "d_state": 3, "batch": 3, "code_size": 12, "code_active": 3}


@pytest.mark.parametrize("chunk", [1, 3, 16])
def test_one_block_is_exact_in_every_group(chunk):
    report = audit(Config(**SMALL), chunk=chunk, steps=96, dtype="float64")
    assert len(report["groups"]) == 12
    for name, group in report["groups"].items():
        assert group["relative_error"] <= 1e-10, name
    assert report["whole"]["cosine"] == pytest.approx(1.0, abs=1e-12)


def test_truncated_bptt_differs_at_one_step_a_chunk():
    groups = audit(Config(**SMALL), chunk=1, steps=96, dtype="float64")["groups"]
    for name in ("block0.W_delta", "block0.A_log"):
        assert groups[name]["truncated_cosine"] < 0.999


def test_a_stack_is_said_to_be_inexact():
    report = audit(Config(**SMALL, n_blocks=2), chunk=4, steps=96, dtype="float64")
    assert 0.8 < report["whole"]["cosine"] < 1.0 - 1e-9
    assert report["whole"]["truncated_cosine"] < report["whole"]["cosine"]


def test_single_precision_is_close():
    report = audit(Config(**SMALL), chunk=8, steps=64)
    assert report["whole"]["relative_error"] < 1e-4


def test_what_cannot_be_audited_is_refused():
    with pytest.raises(ConfigError, match="steps must be ≥ 1"):
        audit(Config(**SMALL), steps=0)
    with pytest.raises(ConfigError, match="credit=local"):
        audit(Config(**SMALL, credit="local"))
