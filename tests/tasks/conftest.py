"""The values that the tasks' tests start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bim_explorer.config import Config


@pytest.fixture
def recall_values() -> Callable[..., dict[str, Any]]:
    return lambda **changes: Config(
        **{"task": "delayed-recall", "delay": 3, "batch": 2, **changes}
    ).values()


@pytest.fixture
def text_values() -> Callable[..., dict[str, Any]]:
    return lambda **changes: Config(**{"task": "text", "batch": 2, **changes}).values()
