"""Flat parameter values as the plain constants that a step needs.

Reading a Param attribute costs many times a plain one, and the maths wants decays, not
milliseconds: both are settled here, once for every change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bim_explorer.core.registries import NEURONS, RULES
from bim_explorer.functional.local_rule import LocalRule
from bim_explorer.functional.pruning import PruningRule
from bim_explorer.functional.soma import Soma
from bim_explorer.functional.stdp import Window


@dataclass(frozen=True, slots=True)
class Dynamics:
    """Constants of the neurons.

    Attributes:
        psp_decay: κ, share of a postsynaptic potential left after a step.
        psp_order: Exponential filters in a row: 1 exponential kernel, 2 alpha kernel.
        psp_scale: Gives the alpha kernel the area of the exponential one, 1 / (1-κ), so that
            exchanging them changes a potential's shape and not its strength.
        membrane: The soma, the same for all blocks.
        reads_y: The readout sees y.
        reads_z: The readout sees z.
    """

    psp_decay: float
    psp_order: int
    psp_scale: float
    membrane: Soma
    reads_y: bool
    reads_z: bool

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Dynamics:
        """The constants that the flat values stand for."""
        psp_decay = math.exp(-values["dt_ms"] / values["tau_psp_ms"])
        alpha = values["psp_kernel"] == "alpha"
        return cls(
            psp_decay=psp_decay,
            psp_order=2 if alpha else 1,
            psp_scale=1.0 - psp_decay if alpha else 1.0,
            membrane=NEURONS.load(values["neuron"])(values),
            reads_y="y" in values["readout"],
            reads_z="z" in values["readout"],
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Constants of the learning rule, BIM eqs. 4-10; `local` gives the term Ω of a chunk."""

    balance: float
    learning_rate: float
    cooling: int
    weight_decay: float
    averaging: float
    optimizer: str
    clip: float
    credit: str
    mixing: str
    learn: str
    as_printed: bool
    w_max: float
    local: LocalRule
    window: Window
    pruning: PruningRule
    regrow: str

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Rule:
        """The constants that the flat values stand for."""
        return cls(
            balance=values["balance"],
            learning_rate=values["learning_rate"],
            cooling=values["cooling"],
            weight_decay=values["weight_decay"],
            averaging=values["averaging"],
            optimizer=values["optimizer"],
            clip=values["clip"],
            credit=values["credit"],
            mixing=values["mixing"],
            learn=values["learn"],
            as_printed=values["as_printed_update"],
            w_max=values["w_max"],
            local=RULES.load(values["rule"])(values),
            window=Window.from_values(values),
            pruning=PruningRule(
                values["target_sparsity"],
                values["pruning_beta"],
                values["threshold_rate"],
                values["prune_every"],
                values["as_printed_pruning"],
            ),
            regrow=values["regrow"],
        )

    def rate_at(self, update: int) -> float:
        """Learning rate after so many updates: η / sqrt(1 + update / cooling)."""
        if not self.cooling:
            return self.learning_rate
        return self.learning_rate / math.sqrt(1.0 + update / self.cooling)
