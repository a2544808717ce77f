"""How a number lies on its slider: linear, or logarithmic where the range spans decades.

So a rate of 1e-5 is as easy to reach as one of 1e-1.
"""

from __future__ import annotations

import math
from typing import Any

import param

#: A range with this ratio of its soft bounds, or more, lies on a logarithmic slider.
LOG_RATIO = 100
#: Positions a decade of a logarithmic slider.
LOG_STEPS = 50
#: Positions of a linear slider whose parameter names no step of its own, at least.
LINEAR_STEPS = 100


def scale_of(parameter: param.Number) -> dict[str, Any]:
    """Ends, step and kind of a bounded number's slider; it spans the soft bounds.

    Returns:
        `low`, `high`: values at the ends; `log`: whether positions are decimal logarithms;
        `step`: distance of two positions.
    """
    low, high = parameter.softbounds or parameter.bounds or (0.0, 1.0)
    assert low is not None and high is not None, f"{parameter.name} has an open end"
    whole = isinstance(parameter, param.Integer)
    log = not whole and low > 0 and high / low >= LOG_RATIO
    if log:
        step = 1 / LOG_STEPS
    else:
        step = parameter.step or (1 if whole else _round_step((high - low) / LINEAR_STEPS))
    return {"low": low, "high": high, "step": step, "log": log}


def _round_step(step: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `step`."""
    decade = 10.0 ** math.floor(math.log10(step))
    return max(factor * decade for factor in (1, 2, 5) if factor * decade <= step * (1 + 1e-9))
