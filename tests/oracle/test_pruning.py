"""BIM eqs. 9-10: every target is reached and held; the printed sign runs away."""

from __future__ import annotations

import pytest
import torch

from bim_explorer.functional.pruning import PruningRule, prune, pruning_probability, regrow


def run(target: float, updates: int, as_printed: bool = False):
    """Sparsity and threshold after each round on fixed random weights."""
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(128, 128, generator=generator)
    mask, threshold, course = torch.ones_like(weights, dtype=torch.bool), 0.0, []
    rule = PruningRule(target, 20.0, 0.01, 10, as_printed)
    for _ in range(updates // rule.every):
        mask, threshold = prune(weights * mask, mask, threshold, rule, generator)
        course.append((1 - float(mask.float().mean()), threshold))
    return weights, mask, course


@pytest.mark.parametrize("target", [0.1, 0.3, 0.5, 0.7, 0.9, 0.95])
def test_the_target_is_reached_and_held(target):
    _, _, course = run(target, 1000)
    assert all(abs(sparsity - target) < 1e-4 for sparsity, _ in course[len(course) // 2 :])
    assert max(sparsity for sparsity, _ in course) <= target + 1e-4


def test_weak_synapses_go_first():
    weights, mask, _ = run(0.5, 1000)
    assert weights[~mask].abs().mean() < 0.5 * weights[mask].abs().mean()


def test_the_printed_sign_prunes_the_strong_and_runs_away():
    weights, mask, course = run(0.3, 400, as_printed=True)
    assert course[-1][0] > 0.95
    assert course[-1][1] < 0.0
    first, rule = torch.ones_like(mask), PruningRule(0.3, 20.0, 0.01, 10, True)
    p = pruning_probability(weights, first, 1.0, rule)
    assert p.flatten()[weights.abs().argmax()] > 0.99


def test_a_zero_target_prunes_nothing():
    _, mask, _ = run(0.0, 200)
    assert bool(mask.all())


def test_regrowth_meets_the_target_from_above_by_score():
    mask = torch.tensor([[True, False, False, False]])
    grown = regrow(mask, 0.25, torch.tensor([[9.0, 1.0, 3.0, 2.0]]))
    assert grown.tolist() == [[True, False, True, True]]
    assert regrow(mask, 0.9, torch.zeros(1, 4)) is mask
