"""One tree of random generators: every stream of chance has a name under the run's seed.

Two generators of different names are independent, and adding a new one never moves the others.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np


def seed_of(seed: int, name: str) -> int:
    """A 63-bit seed for the generator `name` of a run, for libraries that want an integer."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(seed: int, name: str) -> np.random.Generator:
    """The numpy generator `name` of a run with this seed."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The generator's state as JSON-able data."""
    return dict(rng.bit_generator.state)


def restore_generator(rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Put `rng` back to a state taken by `generator_state`."""
    rng.bit_generator.state = state
