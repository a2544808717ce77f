"""The CPU backend: the scans compiled by numba, no compiler needed on the user's machine.

Trailing axes are flattened to one, so every kernel is two loops over streams and steps around
one loop over channels that the compiler turns into vector instructions.
"""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

name = "numba"

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")


def scan(decay: Tensor, source: Tensor, initial: Tensor) -> Tensor:
    """x_t = decay_t x_{t-1} + source_t; see `functional.scans.Kernels.scan`."""
    x = torch.empty_like(source, memory_format=torch.contiguous_format)
    _scan(_flat(decay, 2), _flat(source, 2), _flat(initial, 1), _flat(x, 2))
    return x


def scan_adjoint(decay: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """λ_t = source_t + decay_{t+1} λ_{t+1}; see `functional.scans.Kernels.scan_adjoint`."""
    adjoint = torch.empty_like(source, memory_format=torch.contiguous_format)
    start = source.new_empty(source.shape[:1] + source.shape[2:])
    _scan_adjoint(_flat(decay, 2), _flat(source, 2), _flat(adjoint, 2), _flat(start, 1))
    return adjoint, start


def decay_to_end(decay: Tensor) -> tuple[Tensor, Tensor]:
    """Π_{m>k} decay_m; see `functional.scans.Kernels.decay_to_end`."""
    products = torch.empty_like(decay, memory_format=torch.contiguous_format)
    start = decay.new_empty(decay.shape[:1] + decay.shape[2:])
    _decay_to_end(_flat(decay, 2), _flat(products, 2), _flat(start, 1))
    return products, start


def membrane(
    y: Tensor, keep: Tensor, v_0: Tensor, decay: float, gain: float, v_th: float
) -> Tensor:
    """The leaky membrane with its reset; see `functional.scans.Kernels.membrane`."""
    v = torch.empty_like(y, memory_format=torch.contiguous_format)
    real = v.numpy().dtype.type
    _membrane(
        _flat(y, 2), _flat(keep, 2), _flat(v_0, 1), real(decay), real(gain), real(v_th), _flat(v, 2)
    )
    return v


def advance_influence(
    keyed: Tensor, drive: Tensor, key: Tensor, decay: Tensor, slope: Tensor, cross: Tensor
) -> None:
    """E and G over a chunk, each number read and written once; see `functional.scans.Kernels`."""
    factors = (drive, key, decay, slope, cross)
    _advance_influence(keyed.numpy(), *(factor.contiguous().numpy() for factor in factors))


def border_gradient(
    keyed: Tensor, d_h0: Tensor, d_v0: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """δh_0·E_0 + δV_0·G_0, each number read once; see `functional.scans.Kernels`."""
    neurons, states, keys = d_h0.shape[1], d_h0.shape[2], keyed.shape[3]
    sums = [keyed.new_zeros(n, keys) for n in (neurons, neurons, states, states)]
    _border_gradient(
        keyed.numpy(),
        d_h0.contiguous().numpy(),
        d_v0.contiguous().numpy(),
        *map(Tensor.numpy, sums),
    )
    of_W, of_delta, of_B, of_C = sums
    return of_W, of_delta, of_B, of_C


def _flat(tensor: Tensor, leading: int) -> np.ndarray:
    """The tensor's memory with `leading` axes kept and all others as one."""
    return tensor.contiguous().numpy().reshape(*tensor.shape[:leading], -1)


@_jit
def _scan(decay, source, initial, x):
    batch, steps, channels = source.shape
    for b in range(batch):
        for c in range(channels):
            x[b, 0, c] = decay[b, 0, c] * initial[b, c] + source[b, 0, c]
        for t in range(1, steps):
            for c in range(channels):
                x[b, t, c] = decay[b, t, c] * x[b, t - 1, c] + source[b, t, c]


@_jit
def _scan_adjoint(decay, source, adjoint, start):
    batch, steps, channels = source.shape
    for b in range(batch):
        for c in range(channels):
            adjoint[b, steps - 1, c] = source[b, steps - 1, c]
        for t in range(steps - 2, -1, -1):
            for c in range(channels):
                adjoint[b, t, c] = source[b, t, c] + decay[b, t + 1, c] * adjoint[b, t + 1, c]
        for c in range(channels):
            start[b, c] = decay[b, 0, c] * adjoint[b, 0, c]


@_jit
def _decay_to_end(decay, products, start):
    batch, steps, channels = decay.shape
    for b in range(batch):
        for c in range(channels):
            products[b, steps - 1, c] = 1.0
        for t in range(steps - 2, -1, -1):
            for c in range(channels):
                products[b, t, c] = products[b, t + 1, c] * decay[b, t + 1, c]
        for c in range(channels):
            start[b, c] = products[b, 0, c] * decay[b, 0, c]


@_jit
def _membrane(y, keep, v_0, decay, gain, v_th, v):
    batch, steps, neurons = y.shape
    for b in range(batch):
        for t in range(steps):
            for i in range(neurons):
                before = v[b, t - 1, i] if t > 0 else v_0[b, i]
                left = decay * before
                if before > v_th:
                    left -= v_th
                v[b, t, i] = keep[b, t, 0] * left + gain * y[b, t, i]


@_jit
def _advance_influence(keyed, drive, key, decay, slope, cross):
    batch, neurons, _, keys = keyed.shape
    steps, states = drive.shape[1], cross.shape[2]
    v_row = 3 * states
    for b in range(batch):
        for i in range(neurons):
            tile, w = keyed[b, i], slope[b, i]
            # G first: it needs E as it was before the chunk.
            for family in range(2):
                v = tile[v_row + family]
                for j in range(keys):
                    v[j] *= w
                for n in range(states):
                    c, h = cross[b, i, n], tile[family * states + n]
                    for j in range(keys):
                        v[j] += c * h[j]
            for n in range(states):
                c, h, v = cross[b, i, n], tile[2 * states + n], tile[v_row + 2 + n]
                v_c = tile[v_row + 2 + states + n]
                for j in range(keys):
                    v[j] = w * v[j] + c * h[j]
                    v_c[j] *= w
            for family in range(3):
                for n in range(states):
                    d, h = decay[b, i, n], tile[family * states + n]
                    for j in range(keys):
                        h[j] *= d
            _add_product(tile, drive[b, :, i], key[b], steps)


@_jit
def _add_product(tile, left, key, steps):
    """tile += leftᵀ key: two rows and four steps at a time, so that registers are reused."""
    rows, keys = tile.shape
    whole = steps - steps % 4
    for r in range(0, rows - 1, 2):
        x, y = tile[r], tile[r + 1]
        for k in range(0, whole, 4):
            a, b, c, d = left[k, r], left[k + 1, r], left[k + 2, r], left[k + 3, r]
            e, f, g, h = left[k, r + 1], left[k + 1, r + 1], left[k + 2, r + 1], left[k + 3, r + 1]
            p, q, s, t = key[k], key[k + 1], key[k + 2], key[k + 3]
            for j in range(keys):
                x[j] = (((x[j] + a * p[j]) + b * q[j]) + c * s[j]) + d * t[j]
                y[j] = (((y[j] + e * p[j]) + f * q[j]) + g * s[j]) + h * t[j]
    for r in range(rows):
        first = whole if r < rows - rows % 2 else 0
        x = tile[r]
        for k in range(first, steps):
            a, p = left[k, r], key[k]
            for j in range(keys):
                x[j] += a * p[j]


@_jit
def _border_gradient(keyed, d_h0, d_v0, of_W, of_delta, of_B, of_C):
    batch, neurons, _, keys = keyed.shape
    states = d_h0.shape[2]
    v_row = 3 * states
    for b in range(batch):
        for i in range(neurons):
            tile, e, sum_W, sum_delta = keyed[b, i], d_v0[b, i], of_W[i], of_delta[i]
            v_W, v_delta = tile[v_row], tile[v_row + 1]
            for j in range(keys):
                sum_W[j] += e * v_W[j]
                sum_delta[j] += e * v_delta[j]
            for n in range(states):
                d = d_h0[b, i, n]
                h_W, h_delta, h_B = tile[n], tile[states + n], tile[2 * states + n]
                v_B, v_C = tile[v_row + 2 + n], tile[v_row + 2 + states + n]
                sum_B, sum_C = of_B[n], of_C[n]
                for j in range(keys):
                    sum_W[j] += d * h_W[j]
                    sum_delta[j] += d * h_delta[j]
                    sum_B[j] += d * h_B[j] + e * v_B[j]
                    sum_C[j] += e * v_C[j]
