"""Tasks on records whose channels are put in the scale of the training records.

The scale is part of the task's state: a network is evaluated on other recordings in the scale
that it was trained in.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.records import RecordTask
from bim_explorer.tasks.scale import Scale


class ScaledTask(RecordTask):
    """Base of the tasks whose channels have a scale.

    Args:
        values: Flat values; `dt_ms` is read beside what all tasks on records read.

    Attributes:
        scale_records: Training records that the scale is taken of, evenly from among all.
    """

    scale_records: int

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._dt_ms = float(values["dt_ms"])
        self._scale: Scale | None = None
        super().__init__(values)

    @abstractmethod
    def sources(self) -> Sequence[Any]:
        """What the scale can be taken of: training records, or the files they are made of."""

    @abstractmethod
    def unscaled(self, source: Any) -> np.ndarray:
        """Channels of a source, not yet in scale, float32 (T, channels).

        Raises:
            DataError: It cannot be read.
        """

    @property
    def scale(self) -> Scale:
        """The scale of the training records, taken when first asked for."""
        if self._scale is None:
            sources = self.sources()
            self._scale = Scale.of(
                self._readable(sources[:: -(-len(sources) // self.scale_records)])
            )
        return self._scale

    def state(self) -> dict[str, Any]:
        """Scale, and place in the training records."""
        return {**super().state(), "scale": self.scale.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over the scale, and the place in the records where they are the same."""
        self._scale = Scale.from_state(state["scale"])
        super().load_state(state)

    def _readable(self, sources: Sequence[Any]) -> list[np.ndarray]:
        found, fault = [], "there is none"
        for source in sources:
            try:
                found.append(self.unscaled(source))
            except DataError as error:
                fault = str(error)
        if not found:
            raise DataError(f"none of the training records can be read: {fault}")
        return found
