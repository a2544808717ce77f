"""EEG: is there a seizure in this window, asked every few seconds while a recording plays on.

    input at t     spikes of slow features of the 18 differences of the longitudinal montage:
                   log line length and log power in three bands over a second, each as it is
                   and less its own mean of the last half minute
    target         1 where the window lies in a seizure for half its length or more, else 0
    verdict        at each window's end, by the mean of the logits since the last one

A recording plays on in excerpts of up to EXCERPT_S seconds, whose filters have heard the LEAD_S
seconds before. Seizures are rare: training hears every excerpt with a seizure and at most
BACKGROUND excerpts without one for each of those, evenly from among all; validation and test hear
everything, and areas under the curves are judged. A difference whose channels a recording lacks is
silent, and complained about.

No recording is in two splits: of each patient's recordings with seizures, and of those without,
the last fifth tests, the fifth before validates. With `patient` set, that patient's recordings
validate and all other patients' train. Layout: CHB-MIT's (`readers.chbmit`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import ConfigError, DataError, unknown_name
from bim_explorer.tasks.biosignals import BiosignalTask
from bim_explorer.tasks.causal import bandpass, highpass, last_heard, running_mean
from bim_explorer.tasks.readers.chbmit import MONTAGE, Recording, electrode_pairs, recordings
from bim_explorer.tasks.readers.edf import EdfFile
from bim_explorer.tasks.records import Record
from bim_explorer.tasks.synthetic import brains

WINDOW_S = 5.0
EXCERPT_S, LEAD_S = 60.0, 30.0
BACKGROUND = 3
BANDS_HZ = ((1.0, 3.0), (3.0, 8.0), (13.0, 30.0))
_N_FEATURES = 2 * (1 + len(BANDS_HZ))
_BASELINE_HZ, _POWER_S, _CONTRAST_S = 0.5, 1.0, 30.0
#: Least line length [µV] and power [µV²]: what an amplifier's noise makes.
_LEAST_LENGTH, _LEAST_POWER = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of a recording, from `start_s` to `stop_s`."""

    recording: Recording
    start_s: float
    stop_s: float

    @property
    def has_seizure(self) -> bool:
        """Whether any of it lies in a seizure."""
        return _overlap(self.recording, self.start_s, self.stop_s) > 0


class Eeg(BiosignalTask):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `patient`, `dt_ms`, `batch`, `seed` and the encoder's are read.
    """

    name = "eeg"
    title = "EEG, seizure or not"
    reads = "a folder in CHB-MIT's layout (chb01/chb01_03.edf, chb01/chb01-summary.txt)"
    metrics = ("auc_roc", "auc_pr", "accuracy")
    n_out = 2
    channels = len(MONTAGE) * _N_FEATURES

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        if values["data"]:
            return f"Real EEG in CHB-MIT's layout, read from {Path(values['data']).name}."
        return brains.PROVENANCE

    @classmethod
    def make(cls, folder: Path, seed: int) -> None:
        """Write a synthetic set in CHB-MIT's layout into a folder."""
        brains.write_set(folder, seed)

    @classmethod
    def inspect(cls, path: str) -> dict[str, Any]:
        """What a folder holds: patients, recordings, seizures, and faults, every file opened.

        Raises:
            DataError: It is not in CHB-MIT's layout.
        """
        folder = Path(path).expanduser()
        found, faults = recordings(folder), []
        for recording in found:
            try:
                file = EdfFile(recording.path)
                file.read(range(len(file.labels))[:1], 0.0, min(1.0, file.duration_s))
            except DataError as error:
                faults.append(str(error))
        return {
            "name": folder.name,
            "patients": sorted({recording.patient for recording in found}),
            "records": len(found),
            "seizures": sum(len(recording.seizures) for recording in found),
            "faults": faults,
        }

    def features(self, reference: Excerpt) -> Record:
        """A record whose signal is not yet in scale.

        Raises:
            DataError: The recording cannot be read, or has none of the montage's channels.
        """
        file = EdfFile(reference.recording.path)
        start = max(reference.start_s - LEAD_S, 0.0)
        signal = self._montage(reference.recording.path, file, start, reference.stop_s)
        lead = round((reference.start_s - start) * file.rate)
        slow = features_of(signal, file.rate)[lead:]
        heard = last_heard(len(slow), file.rate, self._dt_ms)
        window = np.floor(np.arange(len(heard)) * self._dt_ms / 1000 / WINDOW_S + 1e-9)
        return Record(
            slow[heard],
            self._targets(reference, window),
            np.ones(len(heard), bool),
            np.append(window[1:] > window[:-1], True),
        )

    def _montage(self, path: Path, file: EdfFile, start_s: float, stop_s: float) -> np.ndarray:
        """The montage's differences in µV, float32 (T, 18); silent where channels are missing."""
        pairs = electrode_pairs(file.labels)
        if not pairs:
            raise DataError(f"{path} has none of the channels {', '.join(MONTAGE)}.")
        wanted = sorted(
            {number for pair in pairs.values() for number in pair if number is not None}
        )
        columns = file.read(wanted, start_s, stop_s)
        at = dict(zip(wanted, columns.T, strict=True))
        signal = np.zeros((len(columns), len(MONTAGE)), np.float32)
        for place, name in enumerate(MONTAGE):
            if name in pairs:
                one, other = pairs[name]
                signal[:, place] = at[one] if other is None else at[one] - at[other]
        missing = [name for name in MONTAGE if name not in pairs]
        if missing:
            self._complain(f"{path} lacks {', '.join(missing)}: read as silent.")
        return signal

    def _targets(self, excerpt: Excerpt, window: np.ndarray) -> np.ndarray:
        starts = excerpt.start_s + WINDOW_S * np.arange(int(window[-1]) + 1)
        stops = np.minimum(starts + WINDOW_S, excerpt.stop_s)
        spans = zip(starts, stops, strict=True)
        share = [_overlap(excerpt.recording, a, b) / max(b - a, 1e-9) for a, b in spans]
        return (np.array(share) >= 0.5)[window.astype(np.int64)].astype(np.int64)

    def _open(self, values: Mapping[str, Any]) -> Mapping[str, Sequence[Excerpt]]:
        folder = Path(values["data"]).expanduser() if values["data"] else brains.synthetic_brains()
        found = recordings(folder)
        for recording in found:
            if recording.remark:
                self._complain(recording.remark)
        splits = split_recordings(found, str(values.get("patient", "")))
        excerpts = {split: self._excerpts(part) for split, part in splits.items()}
        train = balanced(excerpts["train"])
        rest = [excerpt for excerpt in excerpts["train"] if excerpt not in {*train}]
        return {**excerpts, "train": train, "rest": rest}

    def _excerpts(self, found: Iterable[Recording]) -> list[Excerpt]:
        excerpts = []
        for recording in found:
            try:
                duration = EdfFile(recording.path).duration_s
            except DataError as error:
                self._complain(str(error))
                continue
            starts = np.arange(0.0, duration, EXCERPT_S)
            excerpts += [Excerpt(recording, s, min(s + EXCERPT_S, duration)) for s in starts]
        return [e for e in excerpts if e.stop_s - e.start_s >= min(WINDOW_S, e.stop_s)]

    def _complain(self, sentence: str) -> None:
        if sentence not in self.complaints:
            self.complaints.append(sentence)


def split_recordings(found: Sequence[Recording], patient: str = "") -> dict[str, list[Recording]]:
    """Recordings of each split; see the module.

    Args:
        found: All recordings, in order.
        patient: Whose recordings validate; "" takes some of every patient's.

    Raises:
        ConfigError: There is no such patient.
    """
    patients = {recording.patient for recording in found}
    if patient:
        if patient not in patients:
            raise ConfigError(unknown_name("patient", patient, patients))
        theirs = [recording for recording in found if recording.patient == patient]
        others = [recording for recording in found if recording.patient != patient]
        return {"train": others, "validation": theirs, "test": []}
    groups: dict[tuple[str, bool], list[Recording]] = defaultdict(list)
    for recording in found:
        groups[recording.patient, bool(recording.seizures)].append(recording)
    splits: dict[str, list[Recording]] = {"train": [], "validation": [], "test": []}
    for group in groups.values():
        held = max(len(group) // 5, 1) if len(group) > 2 else 0
        border = len(group) - 2 * held
        splits["train"] += group[:border]
        splits["validation"] += group[border : border + held]
        splits["test"] += group[border + held :]
    return splits


def balanced(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """All excerpts with a seizure, and at most BACKGROUND times as many without, evenly chosen."""
    without = [excerpt for excerpt in excerpts if not excerpt.has_seizure]
    wanted = BACKGROUND * (len(excerpts) - len(without))
    if not wanted or len(without) <= wanted:
        return list(excerpts)
    chosen = {without[int(i)] for i in np.linspace(0, len(without) - 1, wanted)}
    return [excerpt for excerpt in excerpts if excerpt.has_seizure or excerpt in chosen]


def features_of(signal: np.ndarray, rate: float) -> np.ndarray:
    """The slow features at every sample, float32 (T, channels).

    Args:
        signal: Differences between electrodes in µV, float (T, 18).
        rate: Samples a second.
    """
    steady = highpass(signal, rate, _BASELINE_HZ)
    moved = np.abs(np.diff(steady, axis=0, prepend=steady[:1])) * rate / 256
    powers = [bandpass(steady, rate, *band) ** 2 for band in BANDS_HZ]
    slow = [np.log(running_mean(moved, rate, _POWER_S) + _LEAST_LENGTH)]
    slow += [np.log(running_mean(power, rate, _POWER_S) + _LEAST_POWER) for power in powers]
    level = np.concatenate(slow, axis=1)
    contrast = level - running_mean(level, rate, _CONTRAST_S)
    return np.concatenate([level, contrast], axis=1).astype(np.float32)


def _overlap(recording: Recording, start_s: float, stop_s: float) -> float:
    """Seconds of a span that lie in a seizure."""
    return sum(
        max(min(stop_s, end) - max(start_s, begin), 0.0) for begin, end in recording.seizures
    )
