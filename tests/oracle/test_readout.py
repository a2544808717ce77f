"""The readout's loss, one class or several labels: its value and slope against autograd."""

from __future__ import annotations

import pytest
import torch

from bim_explorer.functional.readout import cross_entropy

BATCH, STEPS, CLASSES = 3, 5, 4


@pytest.mark.parametrize("labels", [False, True])
def test_loss_and_slope_match_autograd(labels):
    torch.manual_seed(0)
    logits = torch.randn(BATCH, STEPS, CLASSES, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(BATCH, STEPS) < 0.6
    if labels:
        target = torch.randint(-1, 2, (BATCH, STEPS, CLASSES)).double()
        p = torch.sigmoid(logits)
        each = -(p.log() * (target == 1) + (1 - p).log() * (target == 0)).sum(-1)
    else:
        target = torch.randint(CLASSES, (BATCH, STEPS))
        each = -torch.softmax(logits, -1).log().gather(-1, target[..., None]).squeeze(-1)
    loss, slope = cross_entropy(logits.detach(), target, mask)
    torch.testing.assert_close(loss, each.detach() * mask, rtol=1e-12, atol=1e-12)
    (expected,) = torch.autograd.grad((each * mask).sum() / BATCH, logits)
    torch.testing.assert_close(slope, expected, rtol=1e-12, atol=1e-12)
