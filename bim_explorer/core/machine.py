"""What this process may use of the machine."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resolve_threads(threads: int) -> int:
    """Threads to compute with: as asked, or for 0 the cores less one, at least one."""
    return threads if threads > 0 else max(cores() - 1, 1)
