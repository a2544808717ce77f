"""Connected digits: utterances of several digits, each said back while it dies away.

    sound          pause  "four"          pause …        "four"          pause …
    target         blank  blank, then 4   4, then blank  blank, then 4   4, then blank

A digit is asked for from the middle of its voiced steps to ANSWER_MS behind the last of them: late
enough to be known, and for as long as it is heard. Blanks keep equal neighbours apart.
An utterance joins recordings of one speaker; its pauses hold noise as faint as the recordings'
own. Training utterances are joined from training recordings alone, held-out ones from held-out
recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.core.seeding import generator
from bim_explorer.tasks.audio import VOICED, log_mel, read_sound
from bim_explorer.tasks.digits import Digits
from bim_explorer.tasks.readers.fsdd import Recording, by_split, find_recordings
from bim_explorer.tasks.record import Record
from bim_explorer.tasks.speech import SpeechTask
from bim_explorer.tasks.synthetic import formants

#: Digits of an utterance, from … to.
DIGITS = (3, 6)
PAUSE_MS = (150.0, 350.0)
#: How often each recording is in an utterance of a split.
USES = {"train": 8, "validation": 2, "test": 2}
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
BLANK = 0
#: Time behind a digit in which it is asked for [ms].
ANSWER_MS = 80.0


@dataclass(frozen=True, slots=True)
class Utterance:
    """Recordings, and the pauses around them [ms]: one before the first and one after each."""

    recordings: tuple[Recording, ...]
    pauses_ms: tuple[float, ...]


class ConnectedDigits(SpeechTask):
    """The task of that name; see the module.

    Args:
        values: Flat values; `data`, `dt_ms`, `batch`, `seed` and the encoder's are read.
    """

    name = "connected-digits"
    title = "Connected digits"
    reads = "a folder of spoken digits named like 7_jackson_32.wav (FSDD)"
    metrics = ("word_error_rate",)
    n_out = len(WORDS) + 1
    parted = True
    #: Text of each class.
    symbols = ("", *(f"{word} " for word in WORDS))

    @classmethod
    def describe(cls, values: Mapping[str, Any]) -> str:
        """Where the data of `values` comes from, in one sentence."""
        if values["data"]:
            name = Path(values["data"]).name
            return f"Real speech: spoken digits, read from {name} and joined to utterances."
        return formants.PROVENANCE.replace("spoken digits", "connected digits")

    @classmethod
    def make(cls, folder: Path, seed: int) -> None:
        """Write a synthetic set in FSDD's layout into a folder."""
        Digits.make(folder, seed)

    @classmethod
    def files(cls, path: str) -> Mapping[str, Sequence[Path]]:
        """The sound files of each split below a folder.

        Raises:
            DataError: It holds no spoken digits.
        """
        return Digits.files(path)

    def sources(self) -> list[Path]:
        """The files of the training split, each once."""
        return sorted({r.path for u in self._splits["train"] for r in u.recordings})

    def load(self, reference: Utterance) -> Record:
        """Read and join the recordings of an utterance.

        Raises:
            DataError: A file cannot be read as sound, or is sampled at another rate.
        """
        sounds, rate = _sounds(reference)
        floor = min(_faintest(sound, rate) for sound in sounds)
        rng = generator(0, str(reference))
        pauses = [
            floor * rng.standard_normal(int(rate * pause / 1000), np.float32)
            for pause in reference.pauses_ms
        ]
        pieces, ends = [pauses[0]], []
        for sound, pause in zip(sounds, pauses[1:], strict=True):
            ends.append(sum(map(len, pieces)) + len(sound))
            pieces += [sound, pause]
        heard = log_mel(np.concatenate(pieces), rate, self._dt_ms, self.channels)
        begins = np.array(ends) - [len(sound) for sound in sounds]
        spans = np.stack([begins, ends], axis=1) / rate * 1000 / self._dt_ms
        return self._record(heard, spans, [r.digit for r in reference.recordings])

    def _record(self, heard: np.ndarray, spans: np.ndarray, digits: list[int]) -> Record:
        """The record of channels (T, n_mels) whose digits lie in spans of steps (n, 2)."""
        length = len(heard)
        target, verdict = np.full(length, BLANK, np.int64), np.zeros(length, bool)
        voiced = heard.mean(1) > VOICED
        answer = max(round(ANSWER_MS / self._dt_ms), 1)
        for (begin, end), digit in zip(spans.astype(np.int64), digits, strict=True):
            inside = np.flatnonzero(voiced[begin:end])
            behind = begin + int(inside[-1]) + 1 if len(inside) else end
            half = (begin + int(inside[0]) + behind) // 2 if len(inside) else end
            target[half : behind + answer] = digit + 1
        verdict[-1] = True
        return Record(self.scale(heard), target, np.ones(length, bool), verdict)

    def _open(self, values: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
        found = by_split(find_recordings(values["data"] or str(formants.spoken_digits())))
        return {
            split: list(_utterances(recordings, generator(0, f"connected {split}"), USES[split]))
            for split, recordings in found.items()
        }


def _utterances(
    recordings: Sequence[Recording], rng: np.random.Generator, uses: int
) -> Iterator[Utterance]:
    """Utterances in which each recording is used so many times."""
    speakers = sorted({recording.speaker for recording in recordings})
    for speaker in speakers * uses:
        own = [recording for recording in recordings if recording.speaker == speaker]
        order = [own[i] for i in rng.permutation(len(own))]
        while order:
            count = int(rng.integers(DIGITS[0], DIGITS[1] + 1))
            chosen, order = order[:count], order[count:]
            yield Utterance(tuple(chosen), tuple(rng.uniform(*PAUSE_MS, len(chosen) + 1)))


def _sounds(utterance: Utterance) -> tuple[list[np.ndarray], int]:
    heard = [read_sound(recording.path) for recording in utterance.recordings]
    rates = {rate for _, rate in heard}
    if len(rates) > 1:
        names = ", ".join(recording.path.name for recording in utterance.recordings)
        raise DataError(
            f"{names} are sampled at different rates ({sorted(rates)} Hz): bring them to one."
        )
    return [sound for sound, _ in heard], rates.pop()


def _faintest(sound: np.ndarray, rate: int) -> float:
    """Root mean square of the faintest 10 ms of a sound."""
    window = max(min(rate // 100, len(sound)), 1)
    frames = sound[: len(sound) // window * window].reshape(-1, window)
    return float(np.sqrt(np.square(frames).mean(1)).min())
