"""The tests run `functional` with its shapes checked: a wrong one must not pass silently."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

from bim_explorer.functional.lif import Membrane, membrane_step


def test_a_wrong_shape_is_refused():
    membrane = Membrane.from_ms(tau_mem_ms=3, dt_ms=1, v_th=1)
    two_by_three, two_by_four = torch.zeros(2, 3), torch.zeros(2, 4)
    with pytest.raises(TypeCheckError):
        membrane_step(two_by_three, two_by_four, two_by_three, membrane)
