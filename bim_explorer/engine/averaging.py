"""Weights averaged over the newest part of learning: what is judged and kept, never what learns.

    w̄_n = w̄_{n-1} + (γ + 1) / (γ + n) (w_n - w̄_{n-1}),     w̄_1 = w_1

    n = updates since averaging began   γ = `averaging`   w = any parameter

An online learner's newest weights follow the newest examples. Their average over about the last
n / (γ + 1) updates does not, whatever the run's length, and costs one more copy of the weights.
Source: polynomial-decay averaging (Shamir and Zhang 2013, arXiv 1212.1824).
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


class WeightAverage:
    """The running average of a network's parameters.

    Args:
        mean: Tensors to begin with by name; copied.
        count: Updates that are in them.

    Attributes:
        mean: w̄ by name.
        count: n.
    """

    def __init__(self, mean: Mapping[str, Tensor], count: int = 0) -> None:
        self.mean = {name: tensor.clone() for name, tensor in mean.items()}
        self.count = count

    def step(self, parameters: Mapping[str, Tensor], decay: float) -> None:
        """Take the parameters of one more update into the average; `decay` is γ."""
        self.count += 1
        share = (decay + 1.0) / (decay + self.count)
        for name, tensor in parameters.items():
            self.mean[name].lerp_(tensor, share)

    def mask(self, name: str, mask: Tensor) -> None:
        """Take pruned synapses out of what was gathered while they lived."""
        self.mean[name].mul_(mask)
