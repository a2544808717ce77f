"""What EEG and ECG share: causal features of a recording, in the scale of the training ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bim_explorer.tasks.record import Record
from bim_explorer.tasks.scaled import ScaledTask

#: Deviation of the noise that a training record's features get, in deviations of the features,
#: constant through the record: few recordings teach their details otherwise.
NOISE = 0.3


class BiosignalTask(ScaledTask):
    """Base of the tasks on biosignals; see `ScaledTask` for its arguments."""

    own_encoder = "poisson"
    scale_records = 100
    noise = NOISE

    @abstractmethod
    def features(self, reference: Any) -> Record:
        """A record whose signal is not yet in scale.

        Raises:
            DataError: It cannot be read.
        """

    def load(self, reference: Any) -> Record:
        """Read a record.

        Raises:
            DataError: It cannot be read, or is shorter than a step.
        """
        record = self.features(reference)
        return replace(record, signal=self.scale(record.signal))

    def vary(self, record: Record, rng: np.random.Generator) -> Record:
        """Another take of a training record: every feature is off by a little, throughout."""
        offset = self.noise * rng.standard_normal((1, self.channels), np.float32)
        return replace(record, signal=record.signal + offset)

    def sources(self) -> Sequence[Any]:
        """The training records."""
        return self._splits["train"]

    def unscaled(self, source: Any) -> np.ndarray:
        """Features of a record at its supervised steps.

        Raises:
            DataError: It cannot be read.
        """
        record = self.features(source)
        return record.signal[record.mask]
