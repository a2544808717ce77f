"""`lstm`: torch's LSTM, `n_blocks` layers of `d_model` cells.

    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t,   h_t = o_t ⊙ tanh(c_t)

Source: Hochreiter & Schmidhuber (1997), with the forget gate of Gers et al. (2000).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bim_explorer.baselines.model import Baseline, State, spans


class Lstm(Baseline):
    """See `Baseline` for the arguments."""

    def __init__(self, d_in: int, n_out: int, values: Mapping[str, Any]) -> None:
        super().__init__(d_in, n_out, values)
        self.body = nn.LSTM(d_in, values["d_model"], values["n_blocks"], batch_first=True)

    def start(self, batch: int) -> State:
        """Hidden state and cells at zero (layer, batch, feature)."""
        nothing = self.readout.weight.new_zeros(self.body.num_layers, batch, self.body.hidden_size)
        return {"h": nothing, "c": nothing}

    def features(self, spikes: Tensor, keep: Tensor, state: State) -> tuple[Tensor, State]:
        """Hidden states of the top layer."""
        h, c, pieces = state["h"], state["c"], []
        for span, kept in spans(keep):
            kept = kept[None, :, None]
            piece, (h, c) = self.body(spikes[:, span], (h * kept, c * kept))
            pieces.append(piece)
        return torch.cat(pieces, dim=1), {"h": h, "c": c}
