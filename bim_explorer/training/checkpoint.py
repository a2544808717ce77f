"""All that an exact resume needs, as named numpy arrays and JSON-able facts.

theta/NAME  average/NAME  optimizer/NAME/slot  block/I/{psp0, psp1, h, v}  influence/I/field
synapses/I/{mask, omega, gradient, and the local rule's own}  generator/pruning
event/I/part/field, while the event-driven engine runs: going on from the tensors alone would be
the same run to rounding, from these it is the same run

A baseline has theta, optimizer, and stream/NAME: what it carries along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bim_explorer.baselines.learner import BaselineLearner, BaselineNetwork
from bim_explorer.engine.averaging import WeightAverage
from bim_explorer.engine.block import Block
from bim_explorer.engine.learner import Learner
from bim_explorer.engine.network import Network
from bim_explorer.engine.synapses import Synapses
from bim_explorer.functional.hybrid import RunningSquares
from bim_explorer.functional.rtrl import Families, Influence


def learner_state(
    learner: Learner | BaselineLearner,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts of a learner; the arrays are copies."""
    of = learner.state if isinstance(learner, BaselineLearner) else lambda: _engine_state(learner)
    tensors, facts = of()
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}, facts


def _engine_state(learner: Learner) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors = {f"theta/{k}": v for k, v in learner.network.parameters().items()}
    tensors |= {f"optimizer/{k}": v for k, v in learner.optimizer.state().items()}
    tensors["generator/pruning"] = learner.generator.get_state()
    for index, block in enumerate(learner.network.blocks):
        tensors |= {f"block/{index}/{k}": v for k, v in _block_tensors(block).items()}
        if block.influence is not None:
            fields = block.influence._asdict().items()
            tensors |= {f"influence/{index}/{k}": v for k, v in fields}
    event = learner.event_arrays()
    for index, synapses in enumerate(learner.synapses):
        held = _synapse_tensors(synapses)
        if event:  # there a gradient is made only for whoever looks
            held.pop("gradient", None)
        tensors |= {f"synapses/{index}/{k}": v for k, v in held.items()}
    if learner.average is not None:
        tensors |= {f"average/{k}": v for k, v in learner.average.mean.items()}
    facts = {
        "averaged": learner.average.count if learner.average else 0,
        "update": learner.update_count,
        "families": [list(block.families) for block in learner.network.blocks],
        "mean_loss": learner.mean_loss,
        "thresholds": [s.threshold for s in learner.synapses],
        "scales": [s.scale for s in learner.synapses],
        "squares": [asdict(s.squares) for s in learner.synapses],
    }
    tensors |= {f"event/{k}": torch.from_numpy(v) for k, v in event.items()}
    return tensors, facts


def load_learner(
    learner: Learner | BaselineLearner, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]
) -> None:
    """Put a fresh learner of the same sizes into the state that `learner_state` took."""
    if isinstance(learner, BaselineLearner):
        learner.load_state(_tensors(arrays, ""), facts)
        return
    like = learner.network.readout.b

    def tensors_of(prefix: str) -> dict[str, Tensor]:
        return _tensors(arrays, prefix)

    load_weights(learner.network, arrays)
    learner.optimizer.load_state(
        {k: v.to(like.device) if v.ndim else v for k, v in tensors_of("optimizer/").items()}
    )
    learner.generator.set_state(torch.from_numpy(np.array(arrays["generator/pruning"])))
    learner.update_count, learner.mean_loss = facts["update"], facts["mean_loss"]
    if average := tensors_of("average/"):
        mean = {name: tensor.to(like) for name, tensor in average.items()}
        learner.average = WeightAverage(mean, facts["averaged"])
    for index, block in enumerate(learner.network.blocks):
        state = {k: v.to(like) for k, v in tensors_of(f"block/{index}/").items()}
        block.state.psp = torch.stack([state["psp0"], state["psp1"]])
        block.state.h, block.state.v = state["h"], state["v"]
        block.families = Families(*facts["families"][index])
        if influence := tensors_of(f"influence/{index}/"):
            held = {
                k: v.to(like if v.is_floating_point() else like.device)
                for k, v in influence.items()
            }
            empty = Influence.zeros(block.batch, block.theta, block.families)
            block.influence = empty._replace(**held)
    for index, synapses in enumerate(learner.synapses):
        _load_synapses(synapses, tensors_of(f"synapses/{index}/"), like)
        synapses.threshold = facts["thresholds"][index]
        synapses.scale = facts["scales"][index]
        synapses.squares = RunningSquares(**facts["squares"][index])
    event = {k: v for k, v in arrays.items() if k.startswith("event/")}
    learner.load_event_arrays({k.removeprefix("event/"): v for k, v in event.items()})


def load_weights(network: Network | BaselineNetwork, arrays: Mapping[str, np.ndarray]) -> None:
    """Put a network's weights to those of a checkpoint, and nothing else."""
    parameters = network.parameters()
    for name, tensor in _tensors(arrays, "theta/").items():
        parameters[name].copy_(tensor)


def judged_weights(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of a learner's arrays the weights to judge, as `load_weights` takes them."""
    theta = {name: array for name, array in arrays.items() if name.startswith("theta/")}
    averaged = {name: name.replace("theta/", "average/", 1) for name in theta}
    return {name: arrays.get(averaged[name], array) for name, array in theta.items()}


def _tensors(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, Tensor]:
    found = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return {name: torch.from_numpy(np.array(array)) for name, array in found.items()}


def _block_tensors(block: Block) -> dict[str, Tensor]:
    state = block.state
    first, second = state.psp[0], state.psp[1:]
    second = second[0] if len(second) else torch.zeros_like(first)
    return {"psp0": first, "psp1": second, "h": state.h, "v": state.v}


def _synapse_tensors(synapses: Synapses) -> dict[str, Tensor]:
    tensors = {"mask": synapses.mask, "omega": synapses.omega, **synapses.traces}
    return tensors if synapses.gradient is None else tensors | {"gradient": synapses.gradient}


def _load_synapses(synapses: Synapses, tensors: dict[str, Tensor], like: Tensor) -> None:
    synapses.mask = tensors.pop("mask").to(like.device)
    moved = {name: tensor.to(like) for name, tensor in tensors.items()}
    synapses.omega, synapses.gradient = moved.pop("omega"), moved.pop("gradient", None)
    synapses.traces = moved
