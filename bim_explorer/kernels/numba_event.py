"""The event-driven step: columns are carried only when their input spikes.

Between two visits of a column lie steps whose maps are composed (`numba_maps`), never undone:
nothing is ever divided by a decayed product, so there is no tolerance and nothing to re-base.

    block of T steps      for each of its steps s so far: steps s … now, as one map   slots[s]
    Q blocks in a ring    for each block but the last: from its end to the last one's  bridge
    a visit               ≤ 3 maps: slots[s] of its block, its bridge, slots[0] of the running block
    a block leaves        the columns last visited in it are visited once: every T Q steps at least

Cost a step: a visit for each spike, and about T/2 + Q/T + 3 compositions, whatever M is.

Numba's cache watches the caller's file alone: after a change in `numba_neurons` or `numba_maps`
remove `kernels/__pycache__`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bim_explorer.kernels.columns import KAPPA, W_MAX, Columns
from bim_explorer.kernels.numba_maps import apply_map, compose, step_map
from bim_explorer.kernels.numba_neurons import forward, jit, judge, learn_own

#: Steps of a block T, blocks of the ring Q.
STEPS, BLOCKS = 8, 8


class Past(NamedTuple):
    """Maps of the steps behind now, and when each column was visited last.

    Attributes:
        maps: T Q slots, then Q bridges: (T Q + Q, 8S+6, N).
        small: (T Q + Q, 2S).
        key: What a key of 1 at the map's begin is at its end (T Q + Q,).
        lead: What a key of 1 before the block's first step is in it (Q,).
        stamp: Slot of the last visit, before whose step the column is valid (M,).
        clock: Number of the running block, and its steps so far (2,).
    """

    maps: np.ndarray
    small: np.ndarray
    key: np.ndarray
    lead: np.ndarray
    stamp: np.ndarray
    clock: np.ndarray

    @classmethod
    def empty(cls, columns: Columns, steps: int = STEPS, blocks: int = BLOCKS) -> Past:
        """No step yet: every column is valid now; `steps` ≥ 1 a block, `blocks` ≥ 2."""
        states, neurons = columns.select.shape[1], columns.unit.shape[1]
        slots, dtype = steps * blocks + blocks, columns.cols.dtype
        return cls(
            np.zeros((slots, 8 * states + 6, neurons), dtype),
            np.zeros((slots, 2 * states), dtype),
            np.zeros(slots, dtype),
            np.ones(blocks, dtype),
            np.full(len(columns.psp) - 2, -1, np.int64),
            np.zeros(2, np.int64),
        )


@jit
def run(block, readout, past, spikes, target, labels, mask, keep, losses):
    """Learn from steps in a row; see `columns` and `Past` for the state, all written in place.

    Args:
        block: Columns of the block.
        readout: Its readout.
        past: Maps behind now.
        spikes: 0 or 1 (T, M).
        target: Classes (T,).
        labels: Labels (T, C) in place of classes, or (0, C).
        mask: Steps with a loss (T,).
        keep: 0 where the stream starts anew (T,).
        losses: Written: loss of each step (T,).
    """
    for t in range(len(keep)):
        _arrive(block, past, spikes[t], keep[t])
        forward(block, keep[t])
        asked = labels[t] if len(labels) else readout.logits[:0]
        losses[t] = judge(block, readout, target[t], asked, mask[t])
        _leave(block, past, keep[t])
        learn_own(block, mask[t])


@jit
def _arrive(block, past, spikes, keep):
    """Bring the columns of this step's spikes, and those of a leaving block, up to now."""
    blocks = len(past.lead)
    steps = (len(past.key) - blocks) // blocks
    inputs, decay = len(spikes), block.const[KAPPA] * keep
    if past.clock[1] == steps:
        _turn(past, steps)
    ring = past.clock[0] % blocks
    if past.clock[1] == 0:
        past.lead[ring] = decay
    slot = ring * steps + past.clock[1]
    carried, carried_small = block.cols[inputs + 1], block.small[inputs + 1]
    carried *= decay
    carried_small *= decay
    block.psp[inputs + 1] *= decay * decay
    for j in range(inputs):
        stamp = past.stamp[j]
        leaves = past.clock[1] == 0 and (stamp < 0 or stamp // steps == ring)
        if spikes[j] or leaves:
            p = _visit(block, past, j, steps) * decay
            _bound(block, j, p)
            past.stamp[j] = slot
            block.psp[j] = p
            if spikes[j]:
                carried += block.cols[j]
                carried_small += block.small[j]
                block.psp[inputs + 1] += p + p
                block.psp[inputs + 1] += 1
                block.psp[j] += 1


@jit
def _visit(block, past, j, steps):
    """Carry column j to the end of the last step; its p there."""
    blocks = len(past.lead)
    number, done = past.clock
    col, small, p, stamp = block.cols[j], block.small[j], block.psp[j], past.stamp[j]
    if stamp < 0:
        return p
    ring = number % blocks
    own = stamp // steps
    apply_map(col, small, p, past.maps[stamp], past.small[stamp])
    p *= past.key[stamp]
    if done and own == ring:
        return p
    last = (number - 1) % blocks
    if own != last:
        bridge = steps * blocks + own
        p *= past.lead[(own + 1) % blocks]
        apply_map(col, small, p, past.maps[bridge], past.small[bridge])
        p *= past.key[bridge]
    if done:
        p *= past.lead[ring]
        apply_map(col, small, p, past.maps[ring * steps], past.small[ring * steps])
        p *= past.key[ring * steps]
    return p


@jit
def _bound(block, j, p):
    """Keep |W[:, j]| ≤ w_max, and the current that has it in, now that p_j = p."""
    states, w_max = block.select.shape[1], block.const[W_MAX]
    w, current = block.cols[j, 5 * states + 2], block.cols[-1, 5 * states + 2]
    for i in range(len(w)):
        bounded = min(max(w[i], -w_max), w_max)
        current[i] += p * (bounded - w[i])
        w[i] = bounded


@jit
def _leave(block, past, keep):
    """Make this step's map, and put it behind the maps of the running block."""
    number, done = past.clock
    blocks = len(past.lead)
    steps = (len(past.key) - blocks) // blocks
    first = (number % blocks) * steps
    slot, decay = first + done, block.const[KAPPA] * keep
    now, now_small = past.maps[slot], past.small[slot]
    step_map(now, now_small, block)
    past.key[slot] = 1
    for s in range(first, slot):
        past.key[s] *= decay
        compose(past.maps[s], past.small[s], past.key[s], now, now_small)
    for column in (-2, -1):
        apply_map(block.cols[column], block.small[column], block.psp[column], now, now_small)
    past.clock[1] += 1


@jit
def _turn(past, steps):
    """Begin a new block: lengthen the bridges by the one that is complete."""
    blocks, number = len(past.lead), past.clock[0]
    ring = number % blocks
    whole = ring * steps
    for k in range(max(0, number + 1 - blocks), number):
        bridge = steps * blocks + k % blocks
        if k == number - 1:
            past.maps[bridge] = past.maps[whole]
            past.small[bridge] = past.small[whole]
            past.key[bridge] = past.key[whole]
        else:
            past.key[bridge] *= past.lead[ring]
            compose(
                past.maps[bridge],
                past.small[bridge],
                past.key[bridge],
                past.maps[whole],
                past.small[whole],
            )
            past.key[bridge] *= past.key[whole]
    past.clock[0] += 1
    past.clock[1] = 0


@jit
def settle(block, past):
    """Carry every column up to now; the state is as if no step lay behind (`Past.empty`)."""
    blocks = len(past.lead)
    steps = (len(past.key) - blocks) // blocks
    for j in range(len(past.stamp)):
        block.psp[j] = _visit(block, past, j, steps)
        _bound(block, j, block.psp[j])
        past.stamp[j] = -1
    past.clock[:] = 0
