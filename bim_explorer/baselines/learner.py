"""Training of a baseline by truncated BPTT over chunks, with the face of the engine's learner.

    chunk → logits → loss → autograd inside the chunk → clipping → SGD or Adam → state cut off

Loss, learning rate, cooling and clipping are those of the engine; a baseline has no spikes, no
local rule and no pruning, and settings of these do nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bim_explorer.baselines.model import Baseline, State
from bim_explorer.core.errors import DivergenceError
from bim_explorer.core.interfaces import Chunk
from bim_explorer.core.registries import BASELINES
from bim_explorer.core.seeding import seed_of
from bim_explorer.functional.chunk import ChunkTensors, UpdateResult
from bim_explorer.functional.readout import cross_entropy, guess_loss

#: Running mean of the loss, in units of that of guessing, at which learning has left its bounds.
LOSS_BOUND, LOSS_MOMENTUM = 10.0, 0.9


class BaselineNetwork:
    """A model and the state of its streams.

    Args:
        model: Its weights; twins share them.
        batch: Streams that run side by side.
    """

    def __init__(self, model: Baseline, batch: int) -> None:
        self.model = model
        self.state: State = model.start(batch)

    @property
    def like(self) -> Tensor:
        """A tensor of the model's dtype and device."""
        return self.model.readout.weight

    def answer(self, spikes: Tensor, keep: Tensor) -> list[Tensor]:
        """Advance all streams by a chunk; the logits (batch, time, class) are the one vote."""
        logits, state = self.model(spikes, keep, self.state)
        self.state = {name: tensor.detach() for name, tensor in state.items()}
        return [logits]

    def parameters(self) -> dict[str, Tensor]:
        """All parameter tensors by name, without their graph."""
        return {name: tensor.detach() for name, tensor in self.model.named_parameters()}

    def twin(self, batch: int) -> BaselineNetwork:
        """The same weights with streams of their own: for held-out data."""
        return BaselineNetwork(self.model, batch)


class BaselineLearner:
    """Trains a baseline online, one chunk and one update at a time.

    Args:
        network: Trained in place.
        values: The flat parameter values.
    """

    sparsity = threshold = 0.0
    synapses: tuple[Any, ...] = ()

    def __init__(self, network: BaselineNetwork, values: Mapping[str, Any]) -> None:
        self.network = network
        self.values = dict(values)
        self.update_count = 0
        self.mean_loss: float | None = None
        self.bands: list[tuple[str, int]] = []
        self._optimizer = self._fresh_optimizer()

    @property
    def judged(self) -> BaselineNetwork:
        """The network to judge: a baseline's newest weights."""
        return self.network

    def update(self, chunk: Chunk, watch: bool = False) -> UpdateResult:
        """Run one chunk and move the weights once; there are no synapses to watch.

        Raises:
            DivergenceError: The loss has left its bounds.
        """
        data = ChunkTensors.of(chunk, self.network.like)
        (logits,) = self.network.answer(data.spikes, data.keep)
        loss = None
        if bool(data.mask.any()):
            losses, slope = cross_entropy(logits.detach(), data.target, data.mask)
            loss = float(losses.sum() / data.mask.sum())
            self._check(loss, guess_loss(logits.shape[-1], data.target.ndim == logits.ndim))
            self._move(logits, slope)
        self.update_count += 1
        steps = data.mask.numel()
        return UpdateResult(self.update_count, steps, loss, logits.detach(), data, [], None)

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Change live parameters; they act from the next update on."""
        old, self.values = self.values, {**self.values, **changes}
        if self.values["optimizer"] != old["optimizer"]:
            self._optimizer = self._fresh_optimizer()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and facts that an exact resume needs."""
        named = dict(self.network.model.named_parameters())
        tensors = {f"theta/{name}": tensor.detach() for name, tensor in named.items()}
        tensors |= {f"stream/{name}": tensor for name, tensor in self.network.state.items()}
        for name, tensor in named.items():
            for slot, value in self._optimizer.state.get(tensor, {}).items():
                if value is not None:
                    tensors[f"optimizer/{name}/{slot}"] = torch.as_tensor(value)
        return tensors, {"update": self.update_count, "mean_loss": self.mean_loss}

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        named, like = dict(self.network.model.named_parameters()), self.network.like
        for key, tensor in tensors.items():
            kind, _, name = key.partition("/")
            if kind == "theta":
                named[name].data.copy_(tensor)
            elif kind == "stream":
                self.network.state[name] = tensor.to(like)
            else:
                name, _, slot = name.rpartition("/")
                self._optimizer.state[named[name]][slot] = (
                    tensor.to(like) if tensor.ndim else tensor
                )
        self.update_count, self.mean_loss = facts["update"], facts["mean_loss"]

    def _move(self, logits: Tensor, slope: Tensor) -> None:
        values, parameters = self.values, list(self.network.model.parameters())
        self._optimizer.zero_grad()
        logits.backward(slope)
        if values["clip"]:
            torch.nn.utils.clip_grad_norm_(parameters, values["clip"])
        cooled = self.update_count / values["cooling"] if values["cooling"] else 0.0
        for group in self._optimizer.param_groups:
            group["lr"] = values["learning_rate"] / math.sqrt(1.0 + cooled)
        self._optimizer.step()

    def _fresh_optimizer(self) -> torch.optim.Optimizer:
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[self.values["optimizer"]]
        return kind(self.network.model.parameters(), lr=self.values["learning_rate"])

    def _check(self, loss: float, guess: float) -> None:
        old = loss if self.mean_loss is None else self.mean_loss
        self.mean_loss = LOSS_MOMENTUM * old + (1.0 - LOSS_MOMENTUM) * loss
        if not self.mean_loss <= LOSS_BOUND * guess:
            raise DivergenceError(
                f"learning left its bounds at update {self.update_count}: the loss reached "
                f"{self.mean_loss:.3g} nats; lower learning_rate (now "
                f"{self.values['learning_rate']:g}) or set clip."
            )


def build_baseline(
    values: Mapping[str, Any], d_in: int, n_out: int, prior: np.ndarray | None = None
) -> BaselineNetwork:
    """A fresh baseline for the flat values and a task's sizes, drawn from the run's seed.

    Args:
        values: All flat parameter values; `model` names it.
        d_in: Input channels M.
        n_out: Classes C.
        prior: Log probability of every class, if the task knows it (C,): the readout's bias.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(values["seed"], "weights"))
        model: Baseline = BASELINES.load(values["model"])(d_in, n_out, values)
    model.to(device=values["device"], dtype=getattr(torch, values["dtype"]))
    if prior is not None:
        model.readout.bias.data.copy_(torch.from_numpy(np.asarray(prior)))
    return BaselineNetwork(model, values["batch"])
