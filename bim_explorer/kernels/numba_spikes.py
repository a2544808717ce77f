"""Where the spikes of a chunk fell, a bit for each step: found in vectors, read out one by one."""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from bim_explorer.kernels.numba_intrinsics import trailing_zeros
from bim_explorer.kernels.numba_math import jit_views

#: Steps of a word.
BITS = 32
_ONE, _NONE = np.uint32(1), np.uint32(0)


@register_jitable
def words(steps: int) -> int:
    """Words that hold a chunk of so many steps."""
    return -(-steps // BITS)


@jit_views
def mark(spikes, fell):
    """Set the bits of the steps at which each channel spikes: (step, channel) → (word, channel)."""
    steps, channels = spikes.shape
    for w in range(len(fell)):
        for i in range(channels):
            fell[w, i] = _NONE
    for t in range(steps):
        row, word, bit = spikes[t], fell[t // BITS], _ONE << np.uint32(t % BITS)
        for i in range(channels):
            word[i] |= bit if row[i] != 0 else _NONE


@jit_views
def steps_of(fell, i, times, end):
    """Write the steps at which channel i spikes behind `end`; where they end."""
    for number in range(len(fell)):
        word = fell[number, i]
        while word != _NONE:
            times[end] = number * BITS + trailing_zeros(word)  # pyright: ignore[reportCallIssue]
            word &= word - _ONE
            end += 1
    return end
