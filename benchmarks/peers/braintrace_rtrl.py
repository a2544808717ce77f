"""braintrace's D-RTRL or ES-D-RTRL on a linear recurrent unit: 64 inputs, 1,024 complex states.

    python braintrace_rtrl.py D_RTRL | ES_D_RTRL

One call runs 32 steps in one compiled loop, adds up their gradients and makes one step of Adam,
as our chunk of 32 does. An online LRU (Zucchet et al. 2023) does this very work: D-RTRL of a
diagonal recurrence is its exact RTRL.
"""

from __future__ import annotations

import os
import sys

from protocol import one_core, serve

one_core()
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"

import brainstate  # noqa: E402
import braintools  # noqa: E402
import braintrace  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

INPUTS, STATES, CHUNK, CLASSES, RATE = 64, 64 * 16, 32, 8, 0.1


class Model(brainstate.nn.Module):
    """A linear recurrent unit and a linear readout."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = braintrace.nn.LRUCell(INPUTS, STATES)
        self.readout = braintrace.nn.Linear(INPUTS, CLASSES)

    def update(self, x: jax.Array) -> jax.Array:
        """Logits of one step."""
        return self.readout(self.unit(x))


def main(rule: str) -> None:
    """Serve samples of the rule."""
    brainstate.random.seed(0)
    spikes = (brainstate.random.rand(CHUNK, INPUTS) < RATE).astype(jnp.float32)
    target = brainstate.random.randint(0, CLASSES, (CHUNK,))
    model = Model()
    settings = {"decay_or_rank": 0.95} if rule == "ES_D_RTRL" else {}
    learner = braintrace.compile(model, getattr(braintrace, rule), spikes[0], **settings)
    optimizer = braintools.optim.Adam(lr=1e-5)
    optimizer.register_trainable_weights(model.states(brainstate.ParamState))

    def loss(x: jax.Array, y: jax.Array) -> jax.Array:
        return -jax.nn.log_softmax(learner(x))[y]

    @brainstate.transform.jit
    def update(xs: jax.Array, ys: jax.Array) -> jax.Array:
        gradients, losses = learner.etrace_grad(xs, ys, step_fn=loss, return_value=True)
        optimizer.update(gradients)
        return losses

    def run() -> int:
        jax.block_until_ready(update(spikes, target))
        return CHUNK

    what = "exact for this one layer" if rule == "D_RTRL" else "approximate"
    serve(run, "braintrace", f"LRU, 64 inputs, 1,024 complex states, {what}; no spikes, no LIF")


if __name__ == "__main__":
    main(sys.argv[1])
