"""SGD, and Adam of torch, held so that a live change and a pruned synapse are obeyed.

A parameter without a direction keeps its value and its momentum: nothing coasts. Weights decay,
w ← (1 - η decay) w, before they move and apart from Adam's scaling (Loshchilov and Hutter 2019).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim.adam import adam

from bim_explorer.engine.settings import Rule

ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8


def clipped(gradient: dict[str, Tensor], longest: float) -> dict[str, Tensor]:
    """The gradient shortened to the norm `longest`, all parameters together; 0: as it is."""
    if not longest or not gradient:
        return gradient
    norm = torch.nn.utils.get_total_norm(gradient.values())
    scale = (longest / (norm + ADAM_EPSILON)).clamp(max=1.0)
    return {name: tensor * scale for name, tensor in gradient.items()}


class Optimizer:
    """Descends the direction of each named parameter.

    Args:
        parameters: Tensors by name, written in place.
        rule: Names the optimizer.
    """

    def __init__(self, parameters: Mapping[str, Tensor], rule: Rule) -> None:
        self.parameters = dict(parameters)
        self.kind = rule.optimizer
        self._memory: dict[str, dict[str, Tensor]] = {}

    def step(
        self, directions: Mapping[str, Tensor], learning_rate: float, decay: float = 0.0
    ) -> None:
        """Move every parameter that has a direction; those named W… decay."""
        names = [name for name in self.parameters if name in directions]
        tensors = [self.parameters[name] for name in names]
        # Fused Adam reads a transposed gradient as if it lay like its parameter.
        moves = [directions[name].contiguous() for name in names]
        for name, tensor in zip(names, tensors, strict=True):
            if decay and name.partition(".")[2].startswith("W"):
                tensor.mul_(1.0 - learning_rate * decay)
        if self.kind == "adam" and names:
            self._adam(names, tensors, moves, learning_rate)
        else:
            for tensor, move in zip(tensors, moves, strict=True):
                tensor.add_(move, alpha=-learning_rate)

    def _adam(
        self, names: list[str], tensors: list[Tensor], moves: list[Tensor], learning_rate: float
    ) -> None:
        memories = [self._memory_of(name) for name in names]
        adam(
            tensors,
            moves,
            [memory["exp_avg"] for memory in memories],
            [memory["exp_avg_sq"] for memory in memories],
            [],
            [memory["step"] for memory in memories],
            fused=True,
            amsgrad=False,
            beta1=ADAM_BETAS[0],
            beta2=ADAM_BETAS[1],
            lr=learning_rate,
            weight_decay=0.0,
            eps=ADAM_EPSILON,
            maximize=False,
        )

    def _memory_of(self, name: str) -> dict[str, Tensor]:
        if name not in self._memory:
            like = self.parameters[name]
            self._memory[name] = {
                "step": torch.zeros((), dtype=torch.float32, device=like.device),
                "exp_avg": torch.zeros_like(like),
                "exp_avg_sq": torch.zeros_like(like),
            }
        return self._memory[name]

    def mask(self, name: str, mask: Tensor) -> None:
        """Forget the optimizer's memory of pruned synapses."""
        for value in self._memory.get(name, {}).values():
            if value.shape == mask.shape:
                value.mul_(mask)

    def step_size(self, name: str, learning_rate: float) -> Tensor | float:
        """Step that a unit of direction makes now: η for SGD, η/(sqrt(v̂) + ε) for Adam."""
        if name not in self._memory:
            return learning_rate
        memory = self._memory[name]
        correction = 1.0 - ADAM_BETAS[1] ** float(memory["step"])
        return learning_rate / ((memory["exp_avg_sq"] / correction).sqrt() + ADAM_EPSILON)

    def state(self) -> dict[str, Tensor]:
        """Its memory, by `parameter/slot`."""
        return {
            f"{name}/{slot}": value
            for name, memory in self._memory.items()
            for slot, value in memory.items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for key, value in state.items():
            name, _, slot = key.rpartition("/")
            self._memory.setdefault(name, {})[slot] = value
