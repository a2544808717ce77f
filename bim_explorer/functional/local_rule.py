"""What every local rule of plasticity promises: the term Ω of a chunk (BIM eq. 4).

    direction = λ g - (1-λ) k Ω

    Ω_ij = what the rule asks synapse i ← j to gain in this chunk, averaged over the streams

A rule sees the spikes on both sides of a synapse and its weight, and no loss. It is handed its
own state (traces and the like) and gives the next one back, so that a run resumes exactly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bim_explorer.functional.scans import Kernels

State = dict[str, Tensor]


class LocalRule(ABC):
    """A rule of plasticity; it is built as `Rule(values)` from the flat parameter values.

    Attributes:
        windowed: A single pair of spikes changes a synapse by the window of eq. 6, which the page
            then draws.
    """

    windowed: bool = False

    @abstractmethod
    def __init__(self, values: Mapping[str, Any]) -> None: ...

    def use(self, kernels: Kernels) -> None:  # noqa: B027 - an offer, not a duty
        """Be told the backend: a rule that has a pass of its own there takes it."""

    @abstractmethod
    def start(self, pre: Tensor, post: Tensor) -> State:
        """The state before the first chunk, by name.

        Args:
            pre: Zeros (batch, input), of the network's dtype and device.
            post: Zeros (batch, neuron), likewise.
        """

    @abstractmethod
    def term(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Ω of a chunk (neuron, input), and the state behind it.

        Args:
            pre: Presynaptic spikes, 0 or 1 (batch, time, input).
            post: Postsynaptic spikes, 0 or 1 (batch, time, neuron).
            keep: 0 where a stream starts anew, else 1 (batch, time): nothing reaches across.
            weights: W (neuron, input), as they are in this chunk.
            state: What the last call returned, or `start`.
        """

    def follow(
        self, pre: Tensor, post: Tensor, keep: Tensor, weights: Tensor, state: State
    ) -> State:
        """The state behind a chunk whose Ω nobody asks for; arguments as in `term`.

        A rule whose Ω is dear and whose state is not may say how to go without it.
        """
        return self.term(pre, post, keep, weights, state)[1]
