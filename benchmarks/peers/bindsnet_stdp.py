"""STDP of 256 x 256 synapses at 5 % firing by BindsNET's PostPre.

    python bindsnet_stdp.py BATCH

Layers take their spikes and move their traces, the connection applies its rule and bounds its
weights; the network's own loop and its forward product are left out, in BindsNET's favour.
"""

from __future__ import annotations

import sys

from protocol import one_core, serve

one_core()

import torch  # noqa: E402

# BindsNET imports torchvision, whose PyPI build only loads beside a CUDA build of torch: it asks
# for this operator, which nothing here calls.
_vision = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _vision.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from bindsnet.learning import PostPre  # noqa: E402
from bindsnet.network.nodes import Input  # noqa: E402
from bindsnet.network.topology import Connection  # noqa: E402

SIDE, RATE, STEPS, TAU, W_MAX = 256, 0.05, 32, 20.0, 3.0


def main(batch: int) -> None:
    """Serve samples of 32 steps."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pre, post = torch.rand(2, STEPS, batch, SIDE) < RATE
    layers = [Input(SIDE, traces=True, traces_additive=True, tc_trace=TAU) for _ in range(2)]
    for layer in layers:
        layer.set_batch_size(batch)
        layer.compute_decays(1.0)
    connection = Connection(
        *layers, nu=(1e-4, 1e-4), update_rule=PostPre, reduction=torch.mean, wmin=-W_MAX, wmax=W_MAX
    )

    def run() -> int:
        for s, z in zip(pre, post, strict=True):
            layers[0].forward(s)
            layers[1].forward(z)
            connection.update(learning=True)
        return STEPS

    serve(run, "bindsnet", "layers and PostPre alone, without the network's loop; all pairs")


if __name__ == "__main__":
    main(int(sys.argv[1]))
