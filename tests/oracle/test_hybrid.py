"""BIM eq. 4: signs, scales and limits of the hybrid update."""

from __future__ import annotations

import math

import pytest
import torch

from bim_explorer.functional.hybrid import RunningSquares, hybrid_direction, matched_scale

GRADIENT = torch.tensor([[2.0, -1.0]])
OMEGA = torch.tensor([[0.5, 4.0]])


def test_descent_goes_down_the_gradient_and_along_stdp():
    direction = hybrid_direction(GRADIENT, OMEGA, balance=0.25, scale=2.0)
    torch.testing.assert_close(direction, 0.25 * GRADIENT - 0.75 * 2.0 * OMEGA)


def test_the_printed_sign_climbs():
    printed = hybrid_direction(GRADIENT, OMEGA, balance=1.0, scale=1.0, as_printed=True)
    torch.testing.assert_close(printed, -GRADIENT)


def test_pure_stdp_leaves_the_gradient_out():
    torch.testing.assert_close(hybrid_direction(GRADIENT, OMEGA, 0.0, 1.0), -OMEGA)


def test_without_a_loss_only_stdp_acts():
    assert hybrid_direction(None, OMEGA, 1.0, 1.0) is None
    torch.testing.assert_close(hybrid_direction(None, OMEGA, 0.5, 1.0), -0.5 * OMEGA)


def test_matching_gives_both_parts_equal_rms_at_half():
    squares = RunningSquares()
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        g = 1e-3 * torch.randn(50, 50, generator=generator)
        omega = 7.0 * torch.randn(50, 50, generator=generator)
        squares = squares.after(float(g.square().mean()), float(omega.square().mean()))
    scale = matched_scale(squares, 0.5)
    parts = float((0.5 * g).norm()), float((0.5 * scale * omega).norm())
    assert parts[0] / parts[1] == pytest.approx(1.0, rel=0.05)


def test_scale_is_one_at_pure_stdp_and_before_any_loss():
    seen = RunningSquares().after(1e-6, 1.0)
    assert matched_scale(seen, 0.0) == 1.0
    assert matched_scale(RunningSquares(), 0.5) == 1.0
    assert matched_scale(seen, 0.5) == pytest.approx(1e-3, rel=1e-3)


def test_the_running_mean_is_bias_corrected():
    gradient, stdp = RunningSquares().after(4.0, 9.0).rms()
    assert (gradient, stdp) == pytest.approx((2.0, 3.0))
    assert math.isclose(RunningSquares().after(4.0, 9.0).after(4.0, 9.0).rms()[0], 2.0)
