"""mambapy: one Mamba layer trained by BPTT through a whole sequence, with its parallel scan.

    python mambapy_bptt.py LENGTH

64 channels with 16 states each, one stream, a loss at every step, Adam.
"""

from __future__ import annotations

import sys

from protocol import one_core, serve

one_core()

import torch  # noqa: E402
from mambapy.mamba import Mamba, MambaConfig  # noqa: E402

WIDTH, STATES, CLASSES, RATE = 64, 16, 8, 0.1


def main(length: int) -> None:
    """Serve samples of one sequence each."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        Mamba(MambaConfig(d_model=WIDTH, n_layers=1, d_state=STATES, expand_factor=1)),
        torch.nn.Linear(WIDTH, CLASSES),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5, fused=True)
    spikes = (torch.rand(1, length, WIDTH) < RATE).float()
    target = torch.randint(CLASSES, (length,))

    def run() -> int:
        loss = torch.nn.functional.cross_entropy(model(spikes)[0], target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return length

    serve(
        run, "mambapy", f"one layer, 64 channels x 16 states, BPTT through {length:,} steps; no LIF"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
