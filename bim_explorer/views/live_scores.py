"""The three live curves: loss, metric with its validation score, sparsity with its threshold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

import holoviews as hv

from bim_explorer.tasks import TASKS
from bim_explorer.views.live import Columns
from bim_explorer.views.live_curves import LiveCurves
from bim_explorer.views.plots.curves import (
    EMPTY,
    RETENTION,
    TARGET,
    Points,
    loss_plot,
    metric_plot,
    sparsity_plot,
)
from bim_explorer.views.plots.format import metric_label, number
from bim_explorer.views.plots.marks import mark_columns, value_steps
from bim_explorer.views.plots.ranges import CalmBound, robust_high

#: Metrics that lie between 0 and 1.
BOUNDED = ("accuracy", "auc_roc", "auc_pr")


class LiveLoss(LiveCurves):
    """Training loss."""

    css_class = "bim-loss"
    main = "loss"
    elements: ClassVar[Mapping[str, str]] = {"loss": "loss"}
    values_of: ClassVar[Mapping[str, str]] = {"loss": "loss"}

    def begin(self) -> None:
        """Read all kept points and marks."""
        super().begin()
        self._high = CalmBound(1e-6)

    def bounds(self) -> dict[str, tuple[float, float]]:
        """From 0 to a little above all but a few outliers."""
        curves = [self.points("loss"), self.pinned or EMPTY]
        top = max(robust_high(y) for _, y in curves)
        return {**super().bounds(), "y": (0.0, self._high.fit(1.05 * top) if top else 1.0)}

    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the plot as it is now."""
        bounds = self.bounds()
        return loss_plot(
            self.points("loss"),
            mark_columns(self._marks, self._start),
            xlim=bounds["x"],
            ylim=bounds["y"],
            pinned=self.pinned,
            dark=self.dark,
            hooks=hooks,
        )

    def description(self) -> str:
        """Say the newest loss."""
        return f"Training loss in nats over updates; the newest was {self._newest('loss')}."


class LiveMetric(LiveCurves):
    """Training metric and validation score, named as the run's task names them."""

    css_class = "bim-metric"
    main = "metric"
    elements: ClassVar[Mapping[str, str]] = {
        "training": "metric",
        "validation": "validation",
        "validation points": "validation",
        RETENTION: "retention",
    }
    values_of: ClassVar[Mapping[str, str]] = {
        "metric": "metric",
        "validation": "metric",
        "retention": "metric",
    }

    def begin(self) -> None:
        """Read all kept points and marks, and the task's metric."""
        super().begin()
        self.metric, self.chance = metric_of(self._run.values)
        self._retains = hasattr(TASKS.load(self._run.values["task"]), "retained")
        self._high = CalmBound(1.0)

    def shape(self) -> Hashable:
        """Name and chance level of the metric, and whether a run is pinned."""
        return (self.metric, self.chance, self._retains, super().shape())

    def bounds(self) -> dict[str, tuple[float, float]]:
        """A share from 0 to 1, anything else from 0 to a little above the highest."""
        return {**super().bounds(), "y": self._heights()}

    def _heights(self) -> tuple[float, float]:
        if self.metric in BOUNDED:
            return (0.0, 1.03)
        curves = [
            self.points("metric"),
            self.points("validation"),
            self.pinned or EMPTY,
        ]
        top = max(self.chance or 0.0, *(robust_high(y) for _, y in curves))
        return (0.0, self._high.fit(1.05 * top))

    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the plot as it is now."""
        bounds = self.bounds()
        return metric_plot(
            self.metric,
            self.points("metric"),
            self.points("validation"),
            mark_columns(self._marks, self._start),
            retention=self.points("retention") if self._retains else None,
            xlim=bounds["x"],
            ylim=bounds["y"],
            chance=self.chance,
            pinned=self.pinned,
            dark=self.dark,
            hooks=hooks,
        )

    def description(self) -> str:
        """Say the newest score."""
        name = metric_label(self.metric)
        training, validation = self._newest("metric"), self._newest("validation")
        return f"Over updates: {name} in training, newest {training}; in validation {validation}."


class LiveSparsity(LiveCurves):
    """Share of pruned synapses, its target, and the threshold θ on the right."""

    css_class = "bim-sparsity"
    main = "sparsity"
    elements: ClassVar[Mapping[str, str]] = {
        "sparsity": "sparsity",
        "threshold θ (right)": "threshold",
    }
    values_of: ClassVar[Mapping[str, str]] = {"sparsity": "sparsity", "threshold": "threshold"}

    def begin(self) -> None:
        """Read all kept points and marks."""
        super().begin()
        self._above, self._below = CalmBound(0.01), CalmBound(1e-12)

    def _target(self) -> Points:
        start = float(self._start.get("target_sparsity", self._run.values["target_sparsity"]))
        return value_steps(self._marks, "target_sparsity", start, self.last_update())

    def columns(self) -> dict[str, Columns]:
        """Columns of the curves, the marks and the target."""
        return {**super().columns(), TARGET: self._target_columns()}

    def _target_columns(self) -> Columns:
        update, sparsity = self._target()
        return {"update": update, "sparsity": sparsity}

    def update(self) -> bool:
        """Stream what is new, and lead the target's line to the newest update."""
        changed = super().update()
        if changed:
            self.replace(TARGET, self._target_columns())
        return changed

    def bounds(self) -> dict[str, tuple[float, float]]:
        """A share from 0 to 1; the threshold about zero."""
        theta = self.points("threshold")[1]
        below = self._below.fit(1.1 * robust_high(-theta))
        above = self._above.fit(1.1 * robust_high(theta))
        low = -below if below > 1e-12 else 0.0
        return {**super().bounds(), "y": (0.0, 1.03), "threshold": (low, above)}

    def draw(self, hooks: Sequence[Any]) -> hv.Overlay:
        """Declare the plot as it is now."""
        bounds = self.bounds()
        return sparsity_plot(
            self.points("sparsity"),
            self._target(),
            self.points("threshold"),
            mark_columns(self._marks, self._start),
            xlim=bounds["x"],
            ylim=bounds["y"],
            threshold_lim=bounds["threshold"],
            pinned=self.pinned,
            dark=self.dark,
            hooks=hooks,
        )

    def description(self) -> str:
        """Say the newest sparsity and its target."""
        sparsity = self._newest("sparsity")
        target = number(float(self._target()[1][-1]))
        return f"Share of pruned synapses over updates: newest {sparsity}, target {target}."


def metric_of(values: Mapping[str, Any]) -> tuple[str, float | None]:
    """Name of the leading metric of a run's task, and the level that guessing reaches."""
    task = TASKS.load(values["task"])
    name, classes = task.metrics[0], getattr(task, "n_out", None)
    if name == "auc_roc":
        return name, 0.5
    if name != "accuracy" or not isinstance(classes, int):
        return name, None
    return name, 1.0 / classes
