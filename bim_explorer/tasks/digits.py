"""Spoken digits: which digit was said, answered when the recording ends.

    input at t     spikes of the log-mel channels at t
    target         the digit, at every step
    verdict        at the last step, by the mean of the logits since the first

Splits are by recording index (`readers.fsdd`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.fsdd import Recording, by_split, find_recordings
from bim_explorer.tasks.record import Record
from bim_explorer.tasks.speech import SpeechTask
from bim_explorer.tasks.synthetic import formants


class Digits(SpeechTask):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `dt_ms`, `batch`, `seed` and the encoder's are read.
    """

    name = "digits"
    title = "Spoken digits"
    reads = "a folder of spoken digits named like 7_jackson_32.wav (FSDD)"
    metrics = ("accuracy",)
    n_out = 10

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        if values["data"]:
            return f"Real speech: spoken digits, read from {Path(values['data']).name}."
        return formants.PROVENANCE

    @classmethod
    def make(cls, folder: Path, seed: int) -> None:
        """Write a synthetic set in FSDD's layout into a folder."""
        formants.write_digits(folder, seed)

    @classmethod
    def files(cls, path: str) -> Mapping[str, Sequence[Path]]:
        """The sound files of each split below a folder.

        Raises:
            DataError: It holds no spoken digits.
        """
        splits = by_split(find_recordings(path))
        return {split: [r.path for r in recordings] for split, recordings in splits.items()}

    def sources(self) -> list[Path]:
        """The files of the training split."""
        return [recording.path for recording in self._splits["train"]]

    def load(self, reference: Recording) -> Record:
        """Read a recording.

        Raises:
            DataError: The file cannot be read as sound.
        """
        signal = self.scale(self.unscaled(reference.path))
        length = len(signal)
        if not length:
            raise DataError(f"{reference.path} is shorter than a step: remove it.")
        verdict = np.zeros(length, bool)
        verdict[-1] = True
        target = np.full(length, reference.digit, np.int64)
        return Record(signal, target, np.ones(length, bool), verdict)

    def _open(self, values: Mapping[str, Any]) -> Mapping[str, Sequence[Recording]]:
        return by_split(find_recordings(values["data"] or str(formants.spoken_digits())))
