"""How a block lies in memory when it learns at every step, one stream: a column for each input.

What the synapses of one input j share lies together, so that a step that touches few inputs
reads and writes few, long, unbroken pieces of memory. N neurons, S states, M inputs:

    cols[j]    5S+4 rows of N    E of W, W_Δ, W_B (S each), G of W_B, W_C (S each),
                                 G of W, G of W_Δ, W[:, j], W_Δ[:, j]
    small[j]   2S                W_B[:, j], W_C[:, j]
    psp[j]     p_j

Two more columns go through the same motions:

    bias       j = M             key p = 1: rows are the biases' influences and b_Δ; b_B and b_C
    carried    j = M + 1         Σ_j p_j cols[j], whose W row is the current u = W p and so on;
                                 its key is ‖p‖²

E = influence on h, G = influence on V (see `functional.rtrl`), all after the newest step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Blocks of S rows in `channel`.
H, A_LOG, NEG, A, DLOG, G_DELTA, E_A, G_A = range(8)
#: Rows of `unit`.
V, D, G_D, D_Y, D_Z, DELTA, SIGMA, SLOPE_R, PSI, Y, Z, U, D_V, D_OUT, WORK, THROUGH = range(16)
#: Entries of `const`.
KAPPA, RHO, GAIN, V_TH, W_MAX, ETA, ONE, FOUR, TWENTY, ZERO = range(10)
#: Rows of `select`.
B, C, READ = range(3)


class Columns(NamedTuple):
    """State and parameters of a block, all of one floating point type.

    Attributes:
        cols: (M+2, 5S+4, N).
        small: (M+2, 2S).
        psp: (M+2,).
        channel: h, A_log, A = -exp(A_log), decay a, its logarithm's derivative, g of W_Δ, and the
            influences of A_log on h and V: (8S, N).
        unit: What a neuron has once, rows as named above: (16, N).
        select: B, C and Σ_i ∂L/∂y_i h_i of the newest step (3, S).
        const: Constants of neurons and rule (10,).
    """

    cols: np.ndarray
    small: np.ndarray
    psp: np.ndarray
    channel: np.ndarray
    unit: np.ndarray
    select: np.ndarray
    const: np.ndarray

    @classmethod
    def zeros(cls, inputs: int, neurons: int, states: int, dtype: np.dtype) -> Columns:
        """A block at rest, all parameters zero."""
        shapes = (
            (inputs + 2, 5 * states + 4, neurons),
            (inputs + 2, 2 * states),
            (inputs + 2,),
            (8 * states, neurons),
            (16, neurons),
            (3, states),
            (10,),
        )
        columns = cls(*(np.zeros(shape, dtype) for shape in shapes))
        columns.psp[inputs] = 1.0
        columns.const[[ONE, FOUR, TWENTY, W_MAX]] = 1.0, 4.0, 20.0, np.inf
        return columns


class Readout(NamedTuple):
    """A linear readout of y and z: W_y, W_z (C, N), b (C,), and which of the two it reads (2,).

    `logits` and `d_logits` (C,) are those of the newest step.
    """

    W_y: np.ndarray
    W_z: np.ndarray
    b: np.ndarray
    reads: np.ndarray
    logits: np.ndarray
    d_logits: np.ndarray


def carry_products(columns: Columns) -> None:
    """Set the carried column to Σ_j p_j cols[j], and its key to ‖p‖²."""
    inputs = len(columns.psp) - 2
    p = columns.psp[:inputs]
    columns.cols[-1] = np.tensordot(p, columns.cols[:inputs], 1)
    columns.small[-1] = p @ columns.small[:inputs]
    columns.psp[-1] = p @ p
