from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bim_explorer.config import Config
from bim_explorer.training.build import build
from bim_explorer.training.metrics import is_better, measure, tally

MASK = torch.tensor([[True, True, False]])
TARGET = torch.tensor([[0, 1, 1]])


def test_perplexity_of_guessing_is_the_number_of_classes():
    sums = tally(torch.zeros(1, 3, 7), TARGET, MASK)
    assert measure(sums, ("perplexity",))["perplexity"] == pytest.approx(7.0)
    assert is_better("perplexity", 6.0, 7.0)


def test_a_surcharge_counts_where_a_step_is_supervised():
    surcharge = np.log(np.array([[1.0, 9.0, 1e9]], np.float32))
    sums = tally(torch.zeros(1, 3, 7), TARGET, MASK, surcharge)
    assert sums.n == 2
    assert sums.nats == pytest.approx(2 * math.log(7) + math.log(9), rel=1e-5)


def test_a_fresh_network_for_words_begins_at_their_frequencies():
    sizes = {"batch": 4, "d_model": 8, "d_state": 2, "code_size": 128, "vocabulary": 500}
    task, learner = build(Config(task="words", n_blocks=2, **sizes).values())
    np.testing.assert_allclose(learner.network.readout.b.sum(0).numpy(), task.prior, rtol=1e-5)
    assert np.exp(task.prior).sum() == pytest.approx(1.0)
