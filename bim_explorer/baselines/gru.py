"""`gru`: torch's gated recurrent units, `n_blocks` layers of `d_model` units.

    h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

Source: Cho et al. (2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bim_explorer.baselines.model import Baseline, State, spans


class Gru(Baseline):
    """See `Baseline` for the arguments."""

    def __init__(self, d_in: int, n_out: int, values: Mapping[str, Any]) -> None:
        super().__init__(d_in, n_out, values)
        self.body = nn.GRU(d_in, values["d_model"], values["n_blocks"], batch_first=True)

    def start(self, batch: int) -> State:
        """Hidden state at zero (layer, batch, feature)."""
        sizes = (self.body.num_layers, batch, self.body.hidden_size)
        return {"h": self.readout.weight.new_zeros(sizes)}

    def features(self, spikes: Tensor, keep: Tensor, state: State) -> tuple[Tensor, State]:
        """Hidden states of the top layer."""
        h, pieces = state["h"], []
        for span, kept in spans(keep):
            piece, h = self.body(spikes[:, span], h * kept[None, :, None])
            pieces.append(piece)
        return torch.cat(pieces, dim=1), {"h": h}
