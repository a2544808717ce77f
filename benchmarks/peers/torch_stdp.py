"""STDP of 256 x 256 synapses at 5 % firing by snnTorch's or SpikingJelly's own function.

    python torch_stdp.py snntorch | spikingjelly BATCH

Both give a step's Δw; the weights are moved and bounded as ours are. No forward pass is timed.
"""

from __future__ import annotations

import sys

from protocol import one_core, serve

one_core()

import torch  # noqa: E402

SIDE, RATE, STEPS, TAU, RATE_OF_LEARNING, W_MAX = 256, 0.05, 32, 20.0, 1e-4, 3.0


def main(package: str, batch: int) -> None:
    """Serve samples of 32 steps."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if package == "snntorch":
        from snntorch.functional.stdp_learner import stdp_linear_single_step as step
    else:
        from spikingjelly.activation_based.functional.learning import stdp_linear_step as step
    pre, post = (torch.rand(2, STEPS, batch, SIDE) < RATE).float()
    layer = torch.nn.Linear(SIDE, SIDE, bias=False)
    traces = (torch.zeros(batch, SIDE), torch.zeros(batch, SIDE))

    @torch.no_grad()
    def run() -> int:
        nonlocal traces
        for s, z in zip(pre, post, strict=True):
            if package == "snntorch":
                *traces, change = step(layer, s, z, *traces, TAU, TAU)
            else:
                change, traces = step(s, z, traces, layer.weight, tau_pre=TAU, tau_post=TAU)
            layer.weight.add_(change, alpha=RATE_OF_LEARNING / batch).clamp_(-W_MAX, W_MAX)
        return STEPS

    serve(run, package, "the package's own step function; no forward pass; all pairs, linear decay")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
