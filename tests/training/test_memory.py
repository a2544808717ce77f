"""Online learning needs no history: its memory does not grow with the stream."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys
from bim_explorer.config import Config
from bim_explorer.training.experiment import Experiment

experiment = Experiment(Config(preset="text", chunk=16, d_model=32, d_state=4).values())
peaks = {}
for steps in (1_000, int(sys.argv[1])):
    while experiment.update * 16 < steps:
        experiment.advance()
        if experiment.update % 20 == 0:
            experiment.snapshot()
    peaks[steps] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(list(peaks.values())))
"""


@pytest.mark.slow
def test_peak_memory_is_flat_over_a_hundred_thousand_steps():
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "100000"], capture_output=True, text=True, check=True
    )
    early, late = json.loads(ran.stdout.splitlines()[-1])
    assert late <= 1.05 * early
