"""Comparing what tasks hand out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from bim_explorer.core.interfaces import Chunk


def joined(chunks: Iterable[Chunk]) -> Chunk:
    """One long chunk of consecutive ones."""
    pieces = list(chunks)
    columns = ([getattr(piece, field.name) for piece in pieces] for field in fields(Chunk))
    return Chunk(*(None if c[0] is None else np.concatenate(c, 1) for c in columns))


def assert_same(one: Chunk, other: Chunk) -> None:
    for field in fields(Chunk):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if a is None or b is None:
            assert a is b, field.name
            continue
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
