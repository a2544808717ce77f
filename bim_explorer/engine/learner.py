"""The learner: the order of the rules in one update.

    forward → loss → reverse mode in the chunk + what the influences carry (BIM eqs. 7-8)
    → influences move on → local rule (eqs. 5-6) → clipping → hybrid direction (eq. 4) → optimizer
    → bounds → pruning (eqs. 9-10) → weights averaged, for whoever judges

The influences that a chunk meets were gathered under earlier weights: a few chunks stale, as in
all RTRL while weights move. With `event_driven` the same update is made by `engine.event`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from bim_explorer.core.errors import DivergenceError
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.seeding import seed_of
from bim_explorer.engine.averaging import WeightAverage
from bim_explorer.engine.gradient import chunk_gradient
from bim_explorer.engine.initial import moved_delta_bias
from bim_explorer.engine.network import Network
from bim_explorer.engine.optimizer import Optimizer, clipped
from bim_explorer.engine.settings import Dynamics, Rule
from bim_explorer.engine.synapses import Synapses
from bim_explorer.functional.chunk import ChunkTensors, UpdateResult
from bim_explorer.functional.readout import guess_loss

if TYPE_CHECKING:
    from bim_explorer.engine.event import EventNetwork

log = logging.getLogger(__name__)

#: Running mean of the loss, in units of that of guessing, at which learning has left its bounds.
LOSS_BOUND = 10.0
#: Weight of the past in that mean: one bad chunk after a live change is no divergence.
LOSS_MOMENTUM = 0.9
#: Updates between two chunks whose Ω is found although λ = 1: its running scale holds the newest.
#: Odd, so that it does not meet trials of 8 or 16 chunks always at the same place.
OMEGA_EVERY = 7


class Learner:
    """Trains a network online, one chunk and one update at a time.

    Args:
        network: Trained in place.
        values: The flat parameter values.
    """

    def __init__(self, network: Network, values: Mapping[str, Any]) -> None:
        self._network = network
        self._event: EventNetwork | None = None
        self._no_events = False
        self.values = dict(values)
        self.rule = self._rule_of(values)
        self.synapses = [Synapses(b.theta.W, b.batch, self.rule.local) for b in network.blocks]
        self.optimizer = Optimizer(network.parameters(), self.rule)
        self.generator = torch.Generator(device=values["device"])
        self.generator.manual_seed(seed_of(values["seed"], "pruning"))
        self.average: WeightAverage | None = None
        self.update_count = 0
        self.mean_loss: float | None = None

    @property
    def bands(self) -> list[tuple[str, int]]:
        """Name and neurons of every block that spikes."""
        blocks = enumerate(self.network.blocks, 1)
        return [(f"block {i}", block.theta.W.shape[0]) for i, block in blocks]

    @property
    def network(self) -> Network:
        """The network as it is now; event by event its tensors are brought up to date by this."""
        if self._event is not None:
            self._event.write_back()
        return self._network

    @property
    def sparsity(self) -> float:
        """Share of all synapses that are pruned."""
        total = sum(s.mask.numel() for s in self.synapses)
        return sum(s.pruned for s in self.synapses) / total

    @property
    def judged(self) -> Network:
        """The network to judge: with averaged weights, where they are averaged."""
        average = self.average
        return self.network if average is None else self.network.with_parameters(average.mean)

    @property
    def threshold(self) -> float:
        """Mean pruning threshold θ of the blocks."""
        return sum(s.threshold for s in self.synapses) / len(self.synapses)

    @torch.no_grad()
    def update(self, chunk: Chunk, watch: bool = False) -> UpdateResult:
        """Run one chunk and move the weights once.

        Args:
            chunk: The next steps of every stream.
            watch: Keep a copy of the weights before the update.

        Raises:
            DivergenceError: The loss or a weight has left its bounds.
        """
        if self.values["event_driven"] and self._goes_by_events():
            return self._update_by_events(chunk, watch)
        rule, network = self.rule, self._network
        data = ChunkTensors.of(chunk, network.readout.b)
        traces = network.forward(data.spikes, data.keep)
        for block, synapses in zip(network.blocks, self.synapses, strict=True):
            block.place = synapses.place(rule)
        logits, loss, directions = chunk_gradient(
            network, traces, data, rule.credit, selection_learns=rule.learn == "all"
        )
        self._check(loss, guess_loss(logits.shape[-1], labels=data.target.ndim == logits.ndim))
        before = [s.weights.clone() for s in self.synapses] if watch else None
        self._pair(data, [trace.z for trace in traces], self._asks_for_omega())
        self._move(directions)
        self.update_count += 1
        self._prune()
        self._average()
        steps = data.mask.numel()
        return UpdateResult(self.update_count, steps, loss, logits, data, traces, before)

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Change live parameters; they act from the next update on."""
        self._leave_events()
        old, self.values = self.values, {**self.values, **changes}
        self.rule = self._rule_of(self.values)
        if self.values["rule"] != old["rule"]:
            for synapses in self.synapses:
                synapses.start(self.rule.local)
        if changes.keys() & {"delta_min", "delta_max"}:
            self._move_delta_range(old)
        if self.values["psp_kernel"] != old["psp_kernel"]:
            for block in self._network.blocks:
                block.state.psp = block.state.psp[:1]
        self._network.dynamics = Dynamics.from_values(self.values)
        if self.rule.optimizer != self.optimizer.kind:
            self.optimizer = Optimizer(self._network.parameters(), self.rule)
        if self.rule.credit == "truncated":
            for block in self._network.blocks:
                block.forget_influence()

    def _rule_of(self, values: Mapping[str, Any]) -> Rule:
        rule = Rule.from_values(values)
        rule.local.use(self._network.blocks[0].kernels)
        return rule

    def event_arrays(self) -> dict[str, np.ndarray]:
        """State of the event-driven engine by name; empty while it does not run."""
        return {} if self._event is None else self._event.arrays()

    def load_event_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `event_arrays` gave, after all else was loaded."""
        self._leave_events()
        if arrays and self._goes_by_events() and self._event is not None:
            self._event.load(arrays)

    def _goes_by_events(self) -> bool:
        """Whether the event-driven engine runs; it begins from the network's tensors."""
        if self._event is None and not self._no_events:
            why = "numba is not installed" if find_spec("numba") is None else ""
            why = why or ("some synapses are pruned" if self.sparsity else "")
            if why:
                log.warning("event_driven has no effect, each step is dense: %s", why)
                self._no_events = True
            else:
                from bim_explorer.engine.event import EventNetwork

                self._event = EventNetwork(self._network, self.rule.w_max)
        return self._event is not None

    def _leave_events(self) -> None:
        """Go on from the network's tensors."""
        if self._event is not None:
            self._event.write_back()
        self._event, self._no_events = None, False

    def _update_by_events(self, chunk: Chunk, watch: bool) -> UpdateResult:
        assert self._event is not None
        data = ChunkTensors.of(chunk, self._network.readout.b)
        before = [b.theta.W.clone() for b in self.network.blocks] if watch else None
        rate = self.rule.rate_at(self.update_count)
        logits, loss, traces = self._event.step(chunk, rate)
        self._check(loss, guess_loss(logits.shape[-1], labels=data.target.ndim == logits.ndim))
        self._pair(data, [trace.z for trace in traces], asked=False)
        self.update_count += 1
        if before is not None and loss is not None and rate:
            for block, synapses, old in zip(
                self.network.blocks, self.synapses, before, strict=True
            ):
                synapses.gradient = (old - block.theta.W) / rate
        return UpdateResult(
            self.update_count, data.mask.numel(), loss, logits, data, traces, before
        )

    def _asks_for_omega(self) -> bool:
        """At λ = 1 the local rule moves nothing; its scale is still followed, now and then."""
        due = self.update_count % OMEGA_EVERY == 0
        return due or self.rule.balance < 1.0 or not self.synapses[0].squares.count

    def _pair(self, data: ChunkTensors, z: list[Tensor], asked: bool) -> None:
        """Local rules follow all spikes, so that λ can be lowered at any time."""
        pre = data.spikes
        for synapses, post in zip(self.synapses, z, strict=True):
            synapses.pair(pre, post, data.keep, self.rule, asked)
            pre = post

    def _move(self, gradient: dict[str, Tensor]) -> None:
        by_name = {f"block{index}.W": synapses for index, synapses in enumerate(self.synapses)}
        if self.rule.learn == "synapses":
            gradient = {
                n: g for n, g in gradient.items() if n in by_name or n.startswith("readout")
            }
        if self.rule.clip and gradient:
            live = {name: synapses.live(gradient[name]) for name, synapses in by_name.items()}
            gradient = clipped(gradient, self.rule.clip, gradient | live)
        directions = {name: g for name, g in gradient.items() if name not in by_name}
        for name, synapses in by_name.items():
            mixed = synapses.direction(gradient.get(name), self.rule)
            if mixed is not None:
                directions[name] = mixed
        rate = self.rule.rate_at(self.update_count)
        self.optimizer.step(directions, rate, self.rule.weight_decay)
        for synapses in self.synapses:
            synapses.bound(self.rule.w_max)

    def _prune(self) -> None:
        rule = self.rule
        if self.update_count % rule.pruning.every:
            return
        if rule.pruning.target_sparsity == 0.0 and not self.sparsity:
            return
        for index, synapses in enumerate(self.synapses):
            synapses.prune(rule, self.generator)
            self.optimizer.mask(f"block{index}.W", synapses.mask)

    def _average(self) -> None:
        if not self.rule.averaging:
            self.average = None
            return
        if self.average is None:
            self.average = WeightAverage(self.network.parameters())
        self.average.step(self.network.parameters(), self.rule.averaging)
        for index, synapses in enumerate(self.synapses):
            if synapses.pruned:
                self.average.mask(f"block{index}.W", synapses.mask)

    def _move_delta_range(self, old: Mapping[str, Any]) -> None:
        span = (old["delta_min"], old["delta_max"])
        new = (self.values["delta_min"], self.values["delta_max"])
        for block in self._network.blocks:
            bias = block.theta.b_delta
            bias.copy_(moved_delta_bias(bias.double(), span, new))

    def _check(self, loss: float | None, guess: float) -> None:
        if loss is not None:
            old = loss if self.mean_loss is None else self.mean_loss
            self.mean_loss = LOSS_MOMENTUM * old + (1.0 - LOSS_MOMENTUM) * loss
            if not self.mean_loss <= LOSS_BOUND * guess:
                raise DivergenceError(self._why(f"the loss reached {self.mean_loss:.3g} nats"))
        if not all(math.isfinite(float(s.weights.sum())) for s in self.synapses):
            raise DivergenceError(self._why("a synapse is no longer a finite number"))

    def _why(self, what: str) -> str:
        if self.rule.as_printed:
            reason = "eq. 4 as printed adds the gradient, so the loss rises: switch it off"
        else:
            reason = f"lower learning_rate (now {self.rule.learning_rate:g}) or w_max"
        return f"learning left its bounds at update {self.update_count}: {what}; {reason}."
