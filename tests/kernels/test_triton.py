"""The GPU backend, run by Triton's interpreter on the CPU: it computes what the reference does."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.skipif(
    find_spec("triton") is None,
    reason="THE GPU BACKEND IS NOT TESTED: the triton package is missing (pip install triton)",
)
@pytest.mark.slow
def test_backends_agree_in_the_interpreter():
    """In a process of its own: Triton decides on its interpreter when it is imported."""
    environment = {
        **os.environ,
        "TRITON_INTERPRET": "1",
        "BIM_TEST_BACKEND": "triton",
        "BIM_TEST_TILE": "16",
    }
    wanted = "scans or membranes or dendrites or influences"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    outcome = subprocess.run(
        [*command, "-k", wanted, str(TESTS / "test_backends_agree.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert outcome.returncode == 0, outcome.stdout[-4000:] + outcome.stderr[-2000:]
    assert "passed" in outcome.stdout
