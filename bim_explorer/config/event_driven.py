"""What the event-driven engine asks of the other parameters, and one sentence if it is not met.

It carries what a column of synapses missed as a linear map, so an update must be linear in the
gradient and follow every step: K = 1, one stream, plain SGD on the whole of the gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bim_explorer.core.errors import ConfigError

NEEDS: dict[str, Any] = {
    "model": "bim",
    "neuron": "lif",
    "rule": "stdp",
    "chunk": 1,
    "batch": 1,
    "optimizer": "sgd",
    "clip": 0.0,
    "weight_decay": 0.0,
    "averaging": 0.0,
    "balance": 1.0,
    "learn": "all",
    "as_printed_update": False,
    "psp_kernel": "exponential",
    "target_sparsity": 0.0,
    "device": "cpu",
}


def unmet(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that stand in the way, with the values that they would need."""
    needs = {name: value for name, value in NEEDS.items() if values[name] != value}
    # Across blocks credit meets every synapse at every step; a block's own loss does not.
    allowed = ("exact", "local") if values["n_blocks"] == 1 else ("local",)
    return needs if values["credit"] in allowed else {**needs, "credit": allowed[0]}


def check_event_driven(values: Mapping[str, Any]) -> None:
    """Refuse `event_driven` together with what it cannot do.

    Raises:
        ConfigError: The text names all that is in the way, and both remedies.
    """
    needs = unmet(values) if values["event_driven"] else {}
    if needs:
        wanted = ", ".join(f"{name}={_text(value)}" for name, value in needs.items())
        found = ", ".join(f"{name}={_text(values[name])}" for name in needs)
        raise ConfigError(
            f"event_driven needs {wanted}, got {found}: set them so, or event_driven=false first"
        )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"
