"""A text's length shows in the temporary folder, never in memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

MB = 1 << 20
#: What a task may need beyond the one on a short text: pages of the mapped file, and slack.
ALLOWED_MB = 24
MEASURE = """
import sys
from resource import RUSAGE_SELF, getrusage
from bim_explorer.config import Config
from bim_explorer.tasks import build_task
task = build_task(Config(task=sys.argv[1], data=sys.argv[2], code_size=256).values())
for _ in range(500):
    task.chunk(16)
for _ in task.held_out("validation", 64, 1000):
    pass
print(getrusage(RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mb(task: str, path) -> int:
    command = [sys.executable, "-c", MEASURE, task, str(path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["text", "words"])
def test_a_text_of_any_length_passes_through_little_memory(task, tmp_path):
    line = " ".join(f"word{i % 997} of {i % 13}" for i in range(2000)) + "\n"
    short, long = tmp_path / "short.txt", tmp_path / "long.txt"
    short.write_text(line * (4 * MB // len(line)), encoding="utf-8")
    with long.open("w", encoding="utf-8") as file:
        for _ in range(128 * MB // len(line)):
            file.write(line)
    assert peak_mb(task, long) < peak_mb(task, short) + ALLOWED_MB
