from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bim_explorer.core.errors import ConfigError
from bim_explorer.core.seeding import generator
from bim_explorer.tasks.encoders.population import PopulationCode


@given(st.integers(4, 40), st.integers(1, 40), st.integers(1, 30), st.integers(0, 99))
def test_codes_are_distinct_and_sparse(size, active, n_symbols, seed):
    active = min(active, size)
    n_symbols = min(n_symbols, comb(size, active))
    code = PopulationCode(n_symbols, size, active, generator(seed, "code"))
    assert code.table.shape == (n_symbols, size)
    assert (code.table.sum(1) == active).all()
    assert len(np.unique(code.table, axis=0)) == n_symbols
    assert code.rate == pytest.approx(active / size)


def test_spikes_are_the_rows_of_the_table():
    code = PopulationCode(5, 16, 3, generator(0, "code"))
    spikes = code.spikes(np.array([[0, 4], [4, 1]]))
    assert spikes.shape == (2, 2, 16)
    assert spikes.dtype == np.uint8
    np.testing.assert_array_equal(spikes[0, 1], code.table[4])
    np.testing.assert_array_equal(spikes[0, 1], spikes[1, 0])


def test_seed_reproduces_the_code_and_another_seed_changes_it():
    one, same, other = (PopulationCode(9, 64, 8, generator(s, "code")).table for s in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_a_larger_alphabet_keeps_the_codes_of_a_smaller_one():
    small = PopulationCode(9, 32, 4, generator(0, "code")).table
    large = PopulationCode(90, 32, 4, generator(0, "code")).table
    np.testing.assert_array_equal(large[:9], small)


def test_too_few_codes_are_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"1 of 4 input neurons make 4 codes.*raise code_size"):
        PopulationCode(9, 4, 1, generator(0, "code"))
