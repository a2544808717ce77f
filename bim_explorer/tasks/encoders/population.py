"""Sparse population code: a symbol is a fixed random subset of the input neurons.

Glossary
    n_symbols    symbols to tell apart
    size M       input neurons (`code_size`)
    active       neurons that spike for one symbol (`code_active`)
    table        spikes of every symbol, uint8 (n_symbols, M)

Distinct symbols have distinct subsets. Codes are drawn one symbol after the other, so a larger
alphabet keeps the codes of a smaller one.
"""

from __future__ import annotations

from math import comb

import numpy as np

from bim_explorer.core.errors import ConfigError


class PopulationCode:
    """Maps symbols to spikes by one table look-up.

    Args:
        n_symbols: Symbols to tell apart.
        size: Input neurons M.
        active: Neurons that spike for one symbol.
        rng: Where the subsets are drawn from.

    Raises:
        ConfigError: There are fewer subsets of that size than symbols.
    """

    def __init__(self, n_symbols: int, size: int, active: int, rng: np.random.Generator) -> None:
        if comb(size, active) < n_symbols:
            raise ConfigError(
                f"{active} of {size} input neurons make {comb(size, active)} codes, too few for "
                f"{n_symbols} symbols: raise code_size or change code_active."
            )
        self.table = np.zeros((n_symbols, size), np.uint8)
        for row, subset in zip(self.table, _subsets(n_symbols, size, active, rng), strict=True):
            row[list(subset)] = 1

    @property
    def rate(self) -> float:
        """Expected spikes per input neuron and step."""
        return float(self.table.mean())

    def spikes(self, symbols: np.ndarray) -> np.ndarray:
        """Spikes uint8 (…, M) of integer symbols (…)."""
        return self.table[symbols]


def _subsets(
    n_symbols: int, size: int, active: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < n_symbols:
        subset = rng.choice(size, active, replace=False)
        chosen.setdefault(tuple(sorted(int(neuron) for neuron in subset)))
    return list(chosen)
