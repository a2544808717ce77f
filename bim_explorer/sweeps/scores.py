"""Which scores are better low: what a search and a Pareto front must know, without torch."""

from __future__ import annotations

#: As in `training.metrics`, and all losses; a test holds the two together.
LOWER_IS_BETTER = frozenset(
    {"loss", "bits_per_character", "perplexity", "word_error_rate", "character_error_rate"}
)


def higher_is_better(name: str) -> bool:
    """Whether more of a metric is better."""
    return name not in LOWER_IS_BETTER
