"""SGD, and Adam by torch, held so that a live change and a pruned synapse are obeyed.

A parameter without a direction keeps its value and its momentum: nothing coasts. Weights decay,
w ← (1 - η decay) w, before they move and apart from Adam's scaling (Loshchilov and Hutter 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

import torch
from torch import Tensor
from torch._utils import _flatten_dense_tensors

from bim_explorer.engine.settings import Rule

ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8


def clipped(
    gradient: dict[str, Tensor], longest: float, moving: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The gradient, shortened so that what moves of it has a norm of `longest` at the most."""
    norm = torch.nn.utils.get_total_norm(moving.values())
    scale = (longest / (norm + ADAM_EPSILON)).clamp(max=1.0)
    return {name: tensor * scale for name, tensor in gradient.items()}


class Optimizer:
    """Descends the direction of each named parameter.

    The parameters are put side by side in one piece of memory, and so are Adam's means: an update
    is one pass over it, however many parameters there are.

    Args:
        parameters: Tensors by name, written in place.
        rule: Names the optimizer.
    """

    def __init__(self, parameters: Mapping[str, Tensor], rule: Rule) -> None:
        self.parameters = dict(parameters)
        self.kind = rule.optimizer
        self._weights = _side_by_side(list(self.parameters.values()))
        held = self._weights.numel() if self.kind == "adam" else 0
        self._mean, self._square = (self._weights.new_zeros(held) for _ in range(2))
        self._count = torch.zeros((), dtype=torch.float32, device=self._weights.device)
        self._steps = dict.fromkeys(self.parameters, 0)
        self._pieces: dict[tuple[str, str], tuple[Tensor, ...]] = {}
        ends = list(accumulate(tensor.numel() for tensor in self.parameters.values()))
        starts = [0, *ends[:-1]]
        self._span = {n: slice(*s) for n, *s in zip(self.parameters, starts, ends, strict=True)}

    def step(
        self, directions: Mapping[str, Tensor], learning_rate: float, decay: float = 0.0
    ) -> None:
        """Move every parameter that has a direction; those named W… decay."""
        for name in directions if decay else ():
            if name.partition(".")[2].startswith("W"):
                self.parameters[name].mul_(1.0 - learning_rate * decay)
        for names in self._neighbours(directions):
            moves = _flatten_dense_tensors([directions[name] for name in names])
            weights, mean, square = self._together(names[0], names[-1])
            if self.kind == "adam":
                steps = self._count.fill_(self._steps[names[0]] + 1)
                self._adam(weights, moves, mean, square, steps, learning_rate)
            else:
                weights.add_(moves, alpha=-learning_rate)
            for name in names:
                self._steps[name] += 1

    def _neighbours(self, directions: Mapping[str, Tensor]) -> list[list[str]]:
        """Parameters with a direction, those together that lie so and were moved as often."""
        groups: list[list[str]] = []
        before = None
        for name in self.parameters:
            if name in directions:
                if before is None or self._steps[before] != self._steps[name]:
                    groups.append([])
                groups[-1].append(name)
            before = name if name in directions else None
        return groups

    def _together(self, name: str, last: str) -> tuple[Tensor, ...]:
        """Weights and means of the parameters from one to another."""
        if (name, last) not in self._pieces:
            span = slice(self._span[name].start, self._span[last].stop)
            wholes = (self._weights, self._mean, self._square)
            self._pieces[name, last] = tuple(whole[span] for whole in wholes)
        return self._pieces[name, last]

    @staticmethod
    def _adam(
        weights: Tensor,
        moves: Tensor,
        mean: Tensor,
        square: Tensor,
        steps: Tensor,
        learning_rate: float,
    ) -> None:
        # What torch.optim.Adam(fused=True) calls; the function around it takes five times as long.
        torch._fused_adam_(  # pyright: ignore[reportPrivateImportUsage]
            [weights],
            [moves],
            [mean],
            [square],
            [],
            [steps],
            lr=learning_rate,
            beta1=ADAM_BETAS[0],
            beta2=ADAM_BETAS[1],
            weight_decay=0.0,
            eps=ADAM_EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def _memory_of(self, name: str) -> dict[str, Tensor]:
        """Adam's means of a parameter, to be written in place; SGD has none."""
        if self.kind != "adam":
            return {}
        means = {"exp_avg": self._mean, "exp_avg_sq": self._square}
        shape = self.parameters[name].shape
        return {slot: whole[self._span[name]].view(shape) for slot, whole in means.items()}

    def mask(self, name: str, mask: Tensor) -> None:
        """Forget the optimizer's memory of pruned synapses."""
        for mean in self._memory_of(name).values():
            mean.mul_(mask)

    def step_size(self, name: str, learning_rate: float) -> Tensor | float:
        """Step that a unit of direction makes now: η for SGD, η/(sqrt(v̂) + ε) for Adam."""
        if self.kind != "adam" or not self._steps[name]:
            return learning_rate
        correction = 1.0 - ADAM_BETAS[1] ** self._steps[name]
        square = self._memory_of(name)["exp_avg_sq"]
        return learning_rate / ((square / correction).sqrt() + ADAM_EPSILON)

    def state(self) -> dict[str, Tensor]:
        """Its memory, by `parameter/slot`."""
        return {
            f"{name}/{slot}": value
            for name, steps in self._steps.items()
            if steps and self.kind == "adam"
            for slot, value in {"step": torch.tensor(steps), **self._memory_of(name)}.items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for key, value in state.items():
            name, _, slot = key.rpartition("/")
            if slot == "step":
                self._steps[name] = int(value)
            else:
                self._memory_of(name)[slot].copy_(value)


def _side_by_side(tensors: list[Tensor]) -> Tensor:
    """Move the tensors into one piece of memory, in place, and return it as a whole."""
    whole = _flatten_dense_tensors(tensors).clone()
    pieces = whole.split([tensor.numel() for tensor in tensors])
    for tensor, piece in zip(tensors, pieces, strict=True):
        tensor.set_(piece.view(tensor.shape))
    return whole
