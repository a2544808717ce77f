"""Spike encoders: what turns symbols and signals into input spikes.

Symbols have their population code. Signals have the encoders of `ENCODERS`: each is built as
`Encoder(channels, values, rng)`, has `size` (input neurons M) and `rate` (expected spikes per
neuron and step), and `encode(signal, rng)` turns one whole record, float (T, channels) of about
zero mean and unit variance per channel, into spikes uint8 (T, M). All are causal: a step's spikes
depend on no later step.
"""

from __future__ import annotations

from bim_explorer.core.registries import ENCODERS

__all__ = ["ENCODERS"]
