"""What the tasks on speech share: log-mel channels in the scale of the training recordings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.audio import log_mel, read_sound
from bim_explorer.tasks.record import Record
from bim_explorer.tasks.scaled import ScaledTask
from bim_explorer.tasks.variation import varied


class SpeechTask(ScaledTask):
    """Base of the tasks on recordings of speech; see `ScaledTask` for its arguments."""

    channels = 24
    own_encoder = "send-on-delta"
    scale_records = 64

    @classmethod
    @abstractmethod
    def files(cls, path: str) -> Mapping[str, Sequence[Path]]:
        """The sound files of each split below a folder.

        Raises:
            DataError: It is not in the task's layout.
        """

    @classmethod
    def inspect(cls, path: str) -> dict[str, Any]:
        """What a folder holds: its recordings by split, and faults, every file opened.

        Raises:
            DataError: It is not in the task's layout.
        """
        splits, faults = cls.files(path), []
        for file in (file for files in splits.values() for file in files):
            try:
                read_sound(file)
            except DataError as error:
                faults.append(str(error))
        counts = {split: len(files) for split, files in splits.items()}
        return {"name": Path(path).name, "records": counts, "faults": faults}

    def unscaled(self, source: Path) -> np.ndarray:
        """Log-mel channels of a file, not yet in scale, float32 (T, channels).

        Raises:
            DataError: The file cannot be read as sound.
        """
        samples, rate = read_sound(source)
        return log_mel(samples, rate, self._dt_ms, self.channels)

    def vary(self, record: Record, rng: np.random.Generator) -> Record:
        """Another take of a training record; see `variation`."""
        return varied(record, rng)
