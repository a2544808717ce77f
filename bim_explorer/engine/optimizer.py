"""SGD and Adam of torch, held so that a live change and a pruned synapse are obeyed.

A parameter without a direction keeps its value and its momentum: nothing coasts. Weights decay,
w ← (1 - η decay) w, before they move and apart from Adam's scaling (Loshchilov and Hutter 2019).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

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
        rule: Names the optimizer and its learning rate.
    """

    def __init__(self, parameters: Mapping[str, Tensor], rule: Rule) -> None:
        self.parameters = dict(parameters)
        self.kind = rule.optimizer
        tensors = list(self.parameters.values())
        if self.kind == "adam":
            self._torch: torch.optim.Optimizer = torch.optim.Adam(
                tensors, lr=rule.learning_rate, betas=ADAM_BETAS, eps=ADAM_EPSILON, fused=True
            )
        else:
            self._torch = torch.optim.SGD(tensors, lr=rule.learning_rate)

    def step(
        self, directions: Mapping[str, Tensor], learning_rate: float, decay: float = 0.0
    ) -> None:
        """Move every parameter that has a direction; those named W… decay."""
        for name, tensor in self.parameters.items():
            direction = directions.get(name)
            # Fused Adam reads a transposed gradient as if it lay like its parameter.
            tensor.grad = None if direction is None else direction.contiguous()
            if decay and direction is not None and name.partition(".")[2].startswith("W"):
                tensor.mul_(1.0 - learning_rate * decay)
        for group in self._torch.param_groups:
            group["lr"] = learning_rate
        self._torch.step()

    def mask(self, name: str, mask: Tensor) -> None:
        """Forget the optimizer's memory of pruned synapses."""
        for value in self._torch.state.get(self.parameters[name], {}).values():
            if isinstance(value, Tensor) and value.shape == mask.shape:
                value.mul_(mask)

    def step_size(self, name: str, learning_rate: float) -> Tensor | float:
        """Step that a unit of direction makes now: η for SGD, η/(sqrt(v̂) + ε) for Adam."""
        state = self._torch.state.get(self.parameters[name], {})
        if "exp_avg_sq" not in state:
            return learning_rate
        correction = 1.0 - ADAM_BETAS[1] ** float(state["step"])
        return learning_rate / ((state["exp_avg_sq"] / correction).sqrt() + ADAM_EPSILON)

    def state(self) -> dict[str, Tensor]:
        """Its memory, by `parameter/slot`."""
        return {
            f"{name}/{slot}": torch.as_tensor(value)
            for name, tensor in self.parameters.items()
            for slot, value in self._torch.state.get(tensor, {}).items()
            if value is not None
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for key, value in state.items():
            name, _, slot = key.rpartition("/")
            self._torch.state[self.parameters[name]][slot] = value
