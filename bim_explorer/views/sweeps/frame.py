"""A sweep's Dataset as the rows and names that pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, cast

import numpy as np
import pandas
import xarray

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, unknown_name
from bim_explorer.sweeps.axes import DRAW
from bim_explorer.sweeps.trials import TRIAL
from bim_explorer.views.plots.format import metric_label, value_text

#: Figures of a run's end, by what they are called in a picture.
FIGURES = ("validation", "metric", "loss", "sparsity", "firing_rate")
_PREFIX = "final_"
_ALONGSIDE = ("update", DRAW, TRIAL)
#: Run folders that a tooltip names at the most.
_MOST_NAMES = 6


def axes_of(dataset: xarray.Dataset) -> list[str]:
    """The parameters that were varied, in the order of the plan."""
    return [str(name) for name in dataset.coords if name not in _ALONGSIDE]


def varied(dataset: xarray.Dataset) -> list[str]:
    """The axes with more than one value; seeds last, for they are rarely what is asked about."""
    axes = [name for name in axes_of(dataset) if dataset[name].size > 1]
    return sorted(axes, key=lambda name: name == "seed")


def is_drawn(dataset: xarray.Dataset, axis: str) -> bool:
    """Whether an axis lies along draws or trials rather than on a grid."""
    return axis not in dataset.dims


def runs_frame(dataset: xarray.Dataset) -> pandas.DataFrame:
    """One row a run: values on the axes, final figures under their plain names, folder."""
    ends = dataset[[name for name in dataset.data_vars if "update" not in dataset[name].dims]]
    ends = ends.drop_vars("update", errors="ignore")
    frame = (ends if ends.dims else ends.expand_dims(DRAW)).to_dataframe().reset_index()
    return frame.rename(columns={f"{_PREFIX}{name}": name for name in FIGURES})


def column(frame: pandas.DataFrame, name: str) -> np.ndarray:
    """A column as an array."""
    return np.asarray(frame[name])


def known_rows(frame: pandas.DataFrame, *names: str) -> pandas.DataFrame:
    """The runs that have a value of all these figures."""
    kept = np.isfinite(frame[list(names)].to_numpy(float)).all(axis=1)
    return cast(pandas.DataFrame, frame[kept])


def checked(name: str | None, known: Iterable[str], kind: str, otherwise: str) -> str:
    """A name if it is known, `otherwise` if none is given.

    Raises:
        ConfigError: An unknown name; the text lists the known ones.
    """
    if name is None:
        return otherwise
    if name not in (known := list(known)):
        raise ConfigError(unknown_name(kind, name, known))
    return name


def label(name: str, dataset: xarray.Dataset | None = None) -> str:
    """What an axis or a figure is called: the parameter's own label, or the metric's name."""
    metric = "" if dataset is None else str(dataset.attrs.get("metric", ""))
    plain = metric_label(metric) if metric else "metric"
    known = {
        "validation": f"validation {plain}",
        "metric": f"training {plain}",
        "loss": "loss (nats)",
        "firing_rate": "firing rate (spikes a step)",
        "sparsity": "sparsity (pruned share)",
    }
    if name in known:
        return known[name]
    return str(Config.param[name].label) if name in Config.param else metric_label(name)


def texts(values: Iterable[Any]) -> list[str]:
    """Values as an axis shows them."""
    return [value_text(_plain(value)) for value in values]


def folders(paths: Iterable[str]) -> str:
    """Run folders as a tooltip names them: the sweep's folder, and the runs' own names."""
    found = [PurePath(path) for path in paths]
    if len(found) == 1:
        return str(found[0])
    names = " ".join(path.name for path in found[:_MOST_NAMES])
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    return f"{names}{more}, in {found[0].parent}"


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
