"""Initial weights of a block and of the readout.

W, W_Δ, W_B, W_C are normal with standard deviations 1, 0.3, 0.5, 0.5 over sqrt(M × input rate);
b_B = b_C = 0.5, D = 1, A[i,n] = -(0.5 … S evenly); b_Δ makes softplus(b_Δ) log-uniform in
Δ_min … Δ_max, and the longest memory at the start is 1 / (Δ_min 0.5) steps. The readout is normal
with standard deviation 0.3 / sqrt(N): small, but not zero, or no gradient would reach the blocks.
Its bias is the classes' log frequency where the task knows it, 0 otherwise.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bim_explorer.functional.selective_ssm import BlockParameters

W_STD, W_DELTA_STD, SELECTION_STD, SELECTION_BIAS = 1.0, 0.3, 0.5, 0.5
READOUT_STD = 0.3


def block_parameters(
    inputs: int,
    neurons: int,
    states: int,
    input_rate: float,
    delta_range: tuple[float, float],
    generator: torch.Generator,
) -> BlockParameters:
    """Fresh parameters in float64; `input_rate` is the expected spikes per input and step."""
    scale = 1.0 / math.sqrt(inputs * input_rate)

    def normal(rows: int, std: float) -> Tensor:
        drawn = torch.randn(rows, inputs, generator=generator, dtype=torch.float64)
        return drawn * (std * scale)

    low, high = (math.log(delta) for delta in delta_range)
    uniform = torch.rand(neurons, generator=generator, dtype=torch.float64)
    even = torch.linspace(0.5, max(states, 0.5), states, dtype=torch.float64)
    return BlockParameters(
        W=normal(neurons, W_STD),
        W_delta=normal(neurons, W_DELTA_STD),
        b_delta=inverse_softplus(torch.exp(low + uniform * (high - low))),
        W_B=normal(states, SELECTION_STD),
        b_B=torch.full((states,), SELECTION_BIAS, dtype=torch.float64),
        W_C=normal(states, SELECTION_STD),
        b_C=torch.full((states,), SELECTION_BIAS, dtype=torch.float64),
        A_log=even.log().expand(neurons, states).clone(),
        D=torch.ones(neurons, dtype=torch.float64),
    )


def readout_weights(
    blocks: int, classes: int, neurons: int, generator: torch.Generator
) -> tuple[Float[Tensor, "block class neuron"], Float[Tensor, "block class neuron"]]:
    """Fresh readout weights of y and of z, in float64."""
    drawn = torch.randn(2, blocks, classes, neurons, generator=generator, dtype=torch.float64)
    W_y, W_z = drawn * (READOUT_STD / math.sqrt(neurons))
    return W_y, W_z


def readout_bias(
    blocks: int, classes: int, prior: np.ndarray | None, shared: bool
) -> Float[Tensor, "block class"]:
    """Fresh readout bias in float64: the blocks answer with the prior before they learn.

    Args:
        blocks: L.
        classes: C.
        prior: Log probability of every class (C,); None: all alike.
        shared: The votes are added up, so each block has its share; else each has all of it.
    """
    if prior is None:
        return torch.zeros(blocks, classes, dtype=torch.float64)
    bias = torch.from_numpy(np.asarray(prior, np.float64)).expand(blocks, classes)
    return bias / blocks if shared else bias.clone()


def inverse_softplus(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The argument at which softplus is x > 0."""
    return x + torch.log(-torch.expm1(-x))


def moved_delta_bias(
    b_delta: Float[Tensor, " neuron"],
    old: tuple[float, float],
    new: tuple[float, float],
) -> Float[Tensor, " neuron"]:
    """b_Δ after its range moved: softplus(b_Δ) mapped in the logarithm, end to end."""
    (low, high), (new_low, new_high) = (tuple(map(math.log, span)) for span in (old, new))
    position = torch.nn.functional.softplus(b_delta).log() - low
    stretch = (new_high - new_low) / (high - low) if high > low else 1.0
    return inverse_softplus(torch.exp(new_low + position * stretch))
