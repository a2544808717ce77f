"""Adaptive pruning towards a target sparsity (BIM eqs. 9-10), every P updates.

    x = |w| / rms(live w),   p = σ(β (θ - x)),   q = 1 - exp(-p P/T)
    draw Bernoulli(q) on live synapses; prune at most round((ρ - s) n), highest p first
    θ += γ P (ρ - s), only while s < ρ

    ρ = target sparsity   s = sparsity   β = temperature (an inverse one)   θ = threshold
    γ = threshold rate    T = time of the hazard, in updates   n = number of synapses

Departs from the paper: eq. 9 prints σ(β(|w| - θ)), which prunes the strongest synapses, and eq. 10
then runs away; `as_printed` shows it, with neither cap nor stop. A literal draw at every update
would overrun every target, since a strong synapse keeps a small chance for ever: hence the cap.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

HAZARD_UPDATES = 20.0


class PruningRule(NamedTuple):
    """ρ, β, γ of eqs. 9-10, the updates P between rounds, and the printed sign's switch."""

    target_sparsity: float
    beta: float
    threshold_rate: float
    every: int
    as_printed: bool = False


def pruning_probability(
    weights: Float[Tensor, "neuron input"],
    mask: Bool[Tensor, "neuron input"],
    threshold: float,
    rule: PruningRule,
) -> Float[Tensor, "neuron input"]:
    """p of every synapse (BIM eq. 9), of |w| in units of the live synapses' RMS."""
    live = int(mask.sum())
    rms = math.sqrt(float((weights.square() * mask).sum()) / max(live, 1)) or 1.0
    distance = threshold - weights.abs() / rms
    return torch.sigmoid(rule.beta * (-distance if rule.as_printed else distance))


def prune(
    weights: Float[Tensor, "neuron input"],
    mask: Bool[Tensor, "neuron input"],
    threshold: float,
    rule: PruningRule,
    generator: torch.Generator,
) -> tuple[Bool[Tensor, "neuron input"], float]:
    """One round: the new mask and the new threshold (BIM eqs. 9-10)."""
    n = mask.numel()
    missing = rule.target_sparsity - (n - int(mask.sum())) / n
    quota = n if rule.as_printed else round(missing * n)
    if quota > 0:
        p = pruning_probability(weights, mask, threshold, rule)
        q = -torch.expm1(-p * (rule.every / HAZARD_UPDATES))
        chance = torch.rand(mask.shape, generator=generator, dtype=q.dtype, device=q.device)
        drawn = (chance < q) & mask
        order = torch.where(drawn, p, -1.0).flatten().argsort(descending=True, stable=True)
        mask = mask.flatten().index_fill(0, order[: min(quota, int(drawn.sum()))], False)
        mask = mask.view_as(weights)
    if missing > 0 or rule.as_printed:
        threshold += rule.threshold_rate * rule.every * missing
    return mask, threshold


def regrow(
    mask: Bool[Tensor, "neuron input"],
    target_sparsity: float,
    score: Float[Tensor, "neuron input"],
) -> Bool[Tensor, "neuron input"]:
    """Bring back the pruned synapses of highest `score` until the target is met from above."""
    n = mask.numel()
    surplus = round((n - int(mask.sum())) - target_sparsity * n)
    if surplus <= 0:
        return mask
    order = torch.where(mask, -math.inf, score).flatten().argsort(descending=True, stable=True)
    return mask.flatten().index_fill(0, order[:surplus], True).view_as(mask)
