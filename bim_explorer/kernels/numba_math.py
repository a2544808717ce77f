"""What all compiled kernels share: how they are compiled, exp and log for vector lanes, threads.

exp(x) = 2^k exp(r), k the nearest whole number to x / ln 2, |r| ≤ ln 2 / 2: a polynomial in r,
and k written straight into the exponent's bits, so that a loop over it becomes vector instructions.
log(1 + x) = 2 artanh(s), s = x / (2 + x) ≤ 1/3 where x ≤ 1: an odd polynomial in s.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numba
import numpy as np
import torch
from numba import types
from numba.extending import overload
from torch import Tensor

from bim_explorer.kernels.numba_intrinsics import TILE, prefetch, put_tile

#: Sums may be taken in any order, so that they can be spread over lanes; no other liberty.
_HOW = {
    "nogil": True,
    "fastmath": {"contract", "reassoc", "nsz"},
    "error_model": "numpy",
}
jit = numba.njit(cache=True, **_HOW)
#: For the parts of a kernel that make no array: their views are not counted, which costs an atomic
#: instruction each time, as much as a short loop.
jit_views = numba.njit(cache=True, _nrt=False, **_HOW)  # pyright: ignore[reportCallIssue]
#: For those that are called for each step and state: a call costs as much as they.
jit_inline = numba.njit(inline="always", **_HOW)

#: Bytes of a cache line.
LINE = 64

# ln 2 in two parts whose first has few digits, so that k times it is exact.
_LOG2_E = 1.0 / math.log(2.0)
_COARSE32, _FINE32 = np.float32(0.693359375), np.float32(math.log(2.0) - 0.693359375)
_COARSE64, _FINE64 = 0.6931471803691238, 1.9082149292705877e-10
_LOG2_E32, _HALF32 = np.float32(_LOG2_E), np.float32(0.5)
# Taylor's coefficients 1/n!, highest first.
_C32 = tuple(np.float32(1.0 / math.factorial(n)) for n in range(7, -1, -1))
_C64 = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))
_LEAST32, _MOST32 = np.float32(-87.0), np.float32(88.0)
# Those of 2 artanh(s) / s in s², 2/(2n+1), highest first.
_L32 = tuple(np.float32(2.0 / (2 * n + 1)) for n in range(7, -1, -1))
_L64 = tuple(2.0 / (2 * n + 1) for n in range(16, -1, -1))
_TWO32 = np.float32(2.0)


def exp_lane(x):
    """e^x of a scalar inside a kernel; below the smallest normal number it stays there."""
    return np.exp(x)


# No other order of sums here: `_exp64` needs x - k COARSE as it is written.
@overload(exp_lane, jit_options={"fastmath": {"contract"}})
def _exp_lane(x):
    return _exp32 if x == types.float32 else _exp64


def _exp32(x):
    x = min(max(x, _LEAST32), _MOST32)
    k = np.floor(x * _LOG2_E32 + _HALF32)
    r = (x - k * _COARSE32) - k * _FINE32
    p = _C32[0]
    p = p * r + _C32[1]
    p = p * r + _C32[2]
    p = p * r + _C32[3]
    p = p * r + _C32[4]
    p = p * r + _C32[5]
    p = p * r + _C32[6]
    p = p * r + _C32[7]
    return p * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)


def _exp64(x):
    x = min(max(x, -708.0), 709.0)
    k = np.floor(x * _LOG2_E + 0.5)
    r = (x - k * _COARSE64) - k * _FINE64
    p = _C64[0]
    p = p * r + _C64[1]
    p = p * r + _C64[2]
    p = p * r + _C64[3]
    p = p * r + _C64[4]
    p = p * r + _C64[5]
    p = p * r + _C64[6]
    p = p * r + _C64[7]
    p = p * r + _C64[8]
    p = p * r + _C64[9]
    p = p * r + _C64[10]
    p = p * r + _C64[11]
    p = p * r + _C64[12]
    p = p * r + _C64[13]
    return p * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)


def log1p_lane(x):
    """log(1 + x) of a scalar inside a kernel, 0 ≤ x ≤ 1."""
    return np.log1p(x)


@overload(log1p_lane, jit_options={"fastmath": {"contract"}})
def _log1p_lane(x):
    coefficients = _L32 if x == types.float32 else _L64

    def log1p(x):
        s = x / (x + _TWO32)
        square = s * s
        p = x - x
        for c in coefficients:
            p = p * square + c
        return p * s

    return log1p


@jit_inline
def fetch(row):
    """Ask for a row of memory before its turn."""
    for i in range(0, row.size, LINE // row.itemsize):
        prefetch(row, i)


@jit_views
def turn(source, into, column):
    """Write the rows of a matrix as columns of another, from that column on."""
    (rows, columns), width = source.shape, into.shape[1]
    whole_rows, whole_columns = rows - rows % TILE, columns - columns % TILE
    for r in range(0, whole_rows, TILE):
        for c in range(0, whole_columns, TILE):
            put_tile(into, c * width + column + r, width, source, r * columns + c, columns)  # pyright: ignore[reportCallIssue]
        for i in range(r, r + TILE):
            for c in range(whole_columns, columns):
                into[c, column + i] = source[i, c]
    for i in range(whole_rows, rows):
        for c in range(columns):
            into[c, column + i] = source[i, c]


def rooms(dtype: Any, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Arrays to be written."""
    return [np.empty(shape, dtype) for shape in shapes]


def tensors(*arrays: Any) -> tuple[Tensor, ...]:
    """Tensors that share the arrays' memory."""
    return tuple(torch.from_numpy(array) for array in arrays)


def arrays(*tensors: Tensor) -> list[np.ndarray]:
    """The tensors' memory, in rows."""
    return [t.numpy() if t.is_contiguous() else t.contiguous().numpy() for t in tensors]


def over_streams(kernel: Callable[..., None], batch: int, *shared: Any) -> None:
    """Run `kernel(first, last, *shared)` on spans of streams, a span for each thread of torch."""
    _run(kernel, stream_spans(batch), shared)


def over_parts(kernel: Callable[..., None], batch: int, *shared: Any) -> None:
    """As `over_streams`, the kernel being told the number of its span, too."""
    spans = [(*span, part) for part, span in enumerate(stream_spans(batch))]
    _run(kernel, spans, shared)


def stream_spans(batch: int) -> list[tuple[int, int]]:
    """First and last stream (exclusive) for each thread."""
    return _spans(batch, min(torch.get_num_threads(), batch))


@cache
def _spans(batch: int, parts: int) -> list[tuple[int, int]]:
    edges = [round(batch * part / parts) for part in range(parts + 1)]
    return list(itertools.pairwise(edges))


def _run(kernel: Callable[..., None], spans: list[Any], shared: tuple[Any, ...]) -> None:
    if len(spans) == 1:
        kernel(*spans[0], *shared)
        return
    for done in [_pool(len(spans)).submit(kernel, *span, *shared) for span in spans]:
        done.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="streams")
