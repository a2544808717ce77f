"""What an oracle says holds on every backend that this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import networks
import pytest


@pytest.fixture(scope="module", params=["torch", "numba"])
def every_backend(request: pytest.FixtureRequest) -> Iterator[None]:
    """The backend of networks that ask for none."""
    before, networks.default_backend = networks.default_backend, request.param
    yield
    networks.default_backend = before
