"""The one factory: from flat values to task, network and learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from bim_explorer.baselines.learner import BaselineLearner, build_baseline
from bim_explorer.core.errors import ConfigError
from bim_explorer.core.interfaces import Task
from bim_explorer.core.machine import resolve_threads
from bim_explorer.engine.learner import Learner
from bim_explorer.engine.network import build_network
from bim_explorer.kernels import kernels_for
from bim_explorer.tasks import build_task


def build(
    values: Mapping[str, Any], task_state: Mapping[str, Any] | None = None
) -> tuple[Task, Learner | BaselineLearner]:
    """A task and a fresh learner for it, of the paper's network or of a baseline.

    Args:
        values: All flat parameter values.
        task_state: Where an earlier task stood; it also brings that task's classes.

    Raises:
        ConfigError: A device that this machine does not have.
        DataError: Data that is missing or unreadable.
    """
    torch.set_num_threads(resolve_threads(values["threads"]))
    check_device(values["device"])
    task = build_task(values, task_state)
    prior = getattr(task, "prior", None)
    if values["model"] != "bim":
        baseline = build_baseline(values, task.d_in, task.n_out, prior)
        return task, BaselineLearner(baseline, values)
    kernels = kernels_for(values["backend"], values["device"])
    network = build_network(values, task.d_in, task.n_out, task.input_rate, kernels, prior)
    return task, Learner(network, values)


def check_device(device: str) -> None:
    """Refuse a device that cannot be used.

    Raises:
        ConfigError: It says which devices there are.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        known = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ConfigError(f"device must be one of {known}; got {device!r}") from error
