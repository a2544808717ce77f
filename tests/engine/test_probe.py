"""What is looked at: spikes of stream 0 and pairs of sampled synapses, worked by hand."""

from __future__ import annotations

import numpy as np

from bim_explorer.engine.probe import nearest_pairs


def train(*times: int, columns: int = 10) -> np.ndarray:
    spikes = np.zeros((1, columns), np.uint8)
    spikes[0, list(times)] = 1
    return spikes


def test_a_pair_is_counted_where_it_is_completed():
    assert nearest_pairs(train(3), train(8), steps=4).tolist() == [5.0]
    assert nearest_pairs(train(8), train(3), steps=4).tolist() == [-5.0]
    assert nearest_pairs(train(8), train(8), steps=4).tolist() == [0.0]


def test_a_pair_of_an_earlier_chunk_is_not_this_updates():
    assert nearest_pairs(train(1), train(4), steps=4).tolist() == [np.inf]


def test_the_nearest_pair_wins():
    assert nearest_pairs(train(2, 6), train(1, 9), steps=4).tolist() == [3.0]
    assert nearest_pairs(train(2, 8), train(7), steps=4).tolist() == [-1.0]


def test_no_spikes_are_no_pair():
    assert nearest_pairs(train(), train(5), steps=10).tolist() == [np.inf]
    assert nearest_pairs(train(columns=0), train(columns=0), steps=4).tolist() == [np.inf]
