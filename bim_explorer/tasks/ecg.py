"""ECG: which of five superclasses a 10 s record of 12 leads belongs to, several at once.

    input at t     spikes of slow features of eight leads (the other four follow from I and II):
                   the mean beat so far (`beats`), log power in five bands, the beats' rhythm
    target         0 or 1 for each superclass, at every step behind the first SETTLING_S seconds
    verdict        at the last step, by the mean of the logits

Each lead is high-passed at 0.5 Hz. Millivolts of the mean beat are compressed, ± log(1 + 10 |mV|).
Everything is causal. The labels are as unbalanced as the data; areas under the curves, macro over
the five, are judged, which do not reward guessing the frequent one. Superclasses and folds are
those of PTB-XL (`readers.ptbxl`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.beats import N_PHASES, N_RHYTHM, beats_of, mean_beat, rhythm
from bim_explorer.tasks.biosignals import BiosignalTask
from bim_explorer.tasks.causal import bandpass, highpass, last_heard, running_mean
from bim_explorer.tasks.readers import ptbxl
from bim_explorer.tasks.readers.ptbxl import LEADS, SUPERCLASSES, EcgReference
from bim_explorer.tasks.records import Record
from bim_explorer.tasks.synthetic import hearts

#: Leads whose features are used.
USED = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_COLUMNS = [LEADS.index(lead) for lead in USED]
BANDS_HZ = ((0.5, 3.0), (3.0, 8.0), (8.0, 15.0), (15.0, 25.0), (25.0, 40.0))
SETTLING_S = 3.0
_BASELINE_HZ, _TAU_S, _FAINTEST = 0.5, 5.0, 1e-5


class Ecg(BiosignalTask):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `dt_ms`, `batch`, `seed` and the encoder's are read.
    """

    name = "ecg"
    title = "ECG, five diagnoses"
    reads = "a folder in PTB-XL's layout (ptbxl_database.csv, records100/)"
    metrics = ("auc_roc", "auc_pr")
    n_out = len(SUPERCLASSES)
    several_labels = True
    channels = len(USED) * (N_PHASES + len(BANDS_HZ)) + N_RHYTHM

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        if values["data"]:
            return f"Real ECG in PTB-XL's layout, read from {Path(values['data']).name}."
        return hearts.PROVENANCE

    @classmethod
    def make(cls, folder: Path, seed: int) -> None:
        """Write a synthetic set in PTB-XL's layout into a folder."""
        hearts.write_set(folder, seed)

    @classmethod
    def inspect(cls, path: str) -> dict[str, Any]:
        """What a folder holds: its records by split, and faults, every record opened.

        Raises:
            DataError: It is not in PTB-XL's layout.
        """
        folder = Path(path).expanduser()
        found, faults = ptbxl.references(folder), []
        for reference in found:
            try:
                ptbxl.read_leads(reference.path)
            except DataError as error:
                faults.append(str(error))
        splits = {
            split: sum(r.fold in folds for r in found) for split, folds in ptbxl.FOLDS.items()
        }
        return {"name": folder.name, "records": splits, "faults": faults}

    def features(self, reference: EcgReference) -> Record:
        """A record whose signal is not yet in scale.

        Raises:
            DataError: The record cannot be read, or is too short for a verdict.
        """
        leads, rate = ptbxl.read_leads(reference.path)
        heard = last_heard(len(leads), rate, self._dt_ms)
        settled = (heard + 1) / rate > SETTLING_S
        if not settled.any():
            raise DataError(f"{reference.path} is shorter than {SETTLING_S:g} s: remove it.")
        verdict = np.zeros(len(heard), bool)
        verdict[-1] = True
        target = np.tile(np.array(reference.labels, np.float32), (len(heard), 1))
        return Record(features_of(leads[:, _COLUMNS], rate, heard), target, settled, verdict)

    def _open(self, values: Mapping[str, Any]) -> Mapping[str, Sequence[EcgReference]]:
        folder = Path(values["data"]).expanduser() if values["data"] else hearts.synthetic_hearts()
        found = ptbxl.references(folder)
        return {
            split: [reference for reference in found if reference.fold in folds]
            for split, folds in ptbxl.FOLDS.items()
        }


def features_of(leads: np.ndarray, rate: float, heard: np.ndarray) -> np.ndarray:
    """The slow features at chosen samples, float32 (T, channels).

    Args:
        leads: Millivolts of the leads in use, float (samples, leads).
        rate: Samples a second.
        heard: Numbers of the samples, int64 (T,).
    """
    steady = highpass(leads, rate, _BASELINE_HZ)
    beats = beats_of(steady, rate)
    shape = mean_beat(steady, beats, rate)[heard]
    bands = (bandpass(steady, rate, *band) ** 2 for band in BANDS_HZ)
    powers = [running_mean(band, rate, _TAU_S)[heard] for band in bands]
    columns = [
        np.sign(shape) * np.log1p(10 * np.abs(shape)),
        *(np.log(power + _FAINTEST) for power in powers),
        rhythm(beats, len(leads), rate)[heard],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)
