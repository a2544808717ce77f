"""All registry lines: what can be had by name. Adding a thing is its file and one line here.

They stand below every layer, so that config can list names; the modules are loaded on demand.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bim_explorer.core.errors import RunError
from bim_explorer.core.plugins import VARIABLE, Plugin, plugin_paths
from bim_explorer.core.registry import Registry

log = logging.getLogger(__name__)

TASKS = Registry(
    "task",
    {
        "delayed-recall": "bim_explorer.tasks.delayed_recall:DelayedRecall",
        "continual": "bim_explorer.tasks.continual:Continual",
        "joint": "bim_explorer.tasks.joint:Joint",
        "text": "bim_explorer.tasks.text:Text",
        "digits": "bim_explorer.tasks.digits:Digits",
        "connected-digits": "bim_explorer.tasks.connected_digits:ConnectedDigits",
        "librispeech": "bim_explorer.tasks.librispeech:LibriSpeech",
        "words": "bim_explorer.tasks.words:Words",
        "eeg": "bim_explorer.tasks.eeg:Eeg",
        "ecg": "bim_explorer.tasks.ecg:Ecg",
    },
    group="bim_explorer.tasks",
)

ENCODERS = Registry(
    "encoder",
    {
        "send-on-delta": "bim_explorer.tasks.encoders.send_on_delta:SendOnDelta",
        "level-crossing": "bim_explorer.tasks.encoders.level_crossing:LevelCrossing",
        "receptive-fields": "bim_explorer.tasks.encoders.receptive_fields:ReceptiveFields",
        "poisson": "bim_explorer.tasks.encoders.poisson:Poisson",
        "latency": "bim_explorer.tasks.encoders.latency:Latency",
        "lif": "bim_explorer.tasks.encoders.lif:LeakyNeurons",
    },
    group="bim_explorer.encoders",
)

RULES = Registry(
    "rule",
    {
        "stdp": "bim_explorer.functional.rules.stdp:Stdp",
        "nearest-stdp": "bim_explorer.functional.rules.nearest_stdp:NearestStdp",
        "triplet": "bim_explorer.functional.rules.triplet:Triplet",
        "oja": "bim_explorer.functional.rules.oja:Oja",
    },
    group="bim_explorer.rules",
)

NEURONS = Registry(
    "neuron",
    {
        "lif": "bim_explorer.functional.neurons.lif:lif",
        "heterogeneous": "bim_explorer.functional.neurons.heterogeneous:Heterogeneous",
        "exponential": "bim_explorer.functional.neurons.exponential:Exponential",
    },
    group="bim_explorer.neurons",
)

BASELINES = Registry(
    "baseline",
    {
        "lstm": "bim_explorer.baselines.lstm:Lstm",
        "gru": "bim_explorer.baselines.gru:Gru",
        "transformer": "bim_explorer.baselines.transformer:Transformer",
    },
    group="bim_explorer.baselines",
)

#: The flat parameters that name a thing, and where it is found.
NAMED_BY = {
    "task": TASKS,
    "first": TASKS,
    "second": TASKS,
    "encoder": ENCODERS,
    "rule": RULES,
    "neuron": NEURONS,
    "model": BASELINES,
}


def used_plugins(values: Mapping[str, Any]) -> dict[str, str]:
    """The user's files that `values` name something of: path and SHA-256."""
    return {str(p.path): p.digest() for p in _sources(values) if isinstance(p, Plugin)}


def used_packages(values: Mapping[str, Any]) -> dict[str, str]:
    """The installed packages that `values` name something of by entry point: name and version."""
    found = (p.dist for p in _sources(values) if not isinstance(p, Plugin))
    return {dist.name: dist.version for dist in found if dist is not None}


def need_plugins(recorded: Mapping[str, str]) -> None:
    """See that the files a run was made with are at hand; log those that were edited since.

    Args:
        recorded: What `used_plugins` said when the run was made.

    Raises:
        RunError: A file that `BIM_PLUGINS` does not name.
    """
    here = plugin_paths()
    for name, digest in recorded.items():
        same_name = [path for path in here if path.name == Path(name).name]
        if not same_name:
            raise RunError(f"this run was made with {name}: set {VARIABLE}={name}")
        if digest not in (Plugin(path, {}).digest() for path in same_name if path.is_file()):
            log.warning("%s has changed since this run was made", same_name[0])


def _sources(values: Mapping[str, Any]) -> list[Any]:
    named = ((registry, values.get(name)) for name, registry in NAMED_BY.items())
    found = (registry.source(value) for registry, value in named if value)
    return [source for source in found if source is not None]
