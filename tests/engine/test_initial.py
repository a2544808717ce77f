from __future__ import annotations

import numpy as np
import pytest
import torch

from bim_explorer.engine.initial import readout_bias

PRIOR = np.log([0.7, 0.2, 0.1])


@pytest.mark.parametrize("blocks", [1, 3])
def test_votes_added_up_begin_at_the_prior(blocks):
    votes = readout_bias(blocks, 3, PRIOR, shared=True)
    torch.testing.assert_close(votes.sum(0), torch.from_numpy(PRIOR))


def test_each_vote_of_its_own_begins_at_the_prior():
    for vote in readout_bias(2, 3, PRIOR, shared=False):
        torch.testing.assert_close(vote, torch.from_numpy(PRIOR))


def test_without_a_prior_all_classes_are_alike():
    assert not readout_bias(2, 3, None, shared=True).any()
