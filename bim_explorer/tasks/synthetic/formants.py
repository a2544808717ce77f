"""Spoken digits from a formant synthesiser, as WAV files in the layout of FSDD.

    voiced(t) = Σ_k g(k f0) sin(2π k ∫ f0 dt)       g(f) = Σ_i G_i / (1 + ((f − F_i(t)) / B_i)²)
    sound(t)  = v(t) voiced(t) + n(t) noise in a band about N(t) + a little background

Glossary
    F_1 F_2 F_3 formants [Hz], B_i their half widths [Hz], G_i their strengths
    f0 pitch [Hz], v and n strengths of voice and noise, N the noise's centre [Hz]

A digit is a row of phones; between their middles everything glides. Speakers differ in vocal
tract, pitch and pace, recordings in timing, pitch, stress and loudness.
Source: formants of American English after Peterson & Barney 1952, rounded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from bim_explorer.core.seeding import generator
from bim_explorer.tasks.synthetic.cache import cached_set

PROVENANCE = "Synthetic: spoken digits from a formant synthesiser, no human voice."
RATE = 8000
SPEAKERS = {
    # vocal tract, pitch [Hz], pace
    "anna": (1.14, 210.0, 1.0),
    "bert": (1.0, 120.0, 1.1),
    "cleo": (1.08, 180.0, 0.85),
    "dirk": (0.93, 95.0, 1.0),
}
#: Recordings of each digit by each speaker: the first eight are held out (see `readers.fsdd`).
TAKES = 16
HALF_WIDTHS = (60.0, 90.0, 140.0)
STRENGTHS = (1.0, 0.6, 0.25)
#: Half width of a noise band, as a share of its centre.
NOISE_WIDTH = 0.25
_TOP_HZ = 3800.0

#: F1, F2, F3 [Hz], voice, noise, noise centre [Hz], duration [ms].
PHONES = {
    "i": (290, 2250, 2950, 1.0, 0.0, 2000, 110),
    "I": (400, 1950, 2550, 1.0, 0.0, 2000, 70),
    "e": (530, 1850, 2500, 1.0, 0.0, 2000, 90),
    "a": (730, 1150, 2450, 1.0, 0.0, 2000, 110),
    "V": (620, 1200, 2400, 1.0, 0.0, 2000, 100),
    "o": (500, 880, 2400, 1.0, 0.0, 2000, 120),
    "u": (310, 900, 2250, 1.0, 0.0, 2000, 130),
    "r": (400, 1150, 1600, 0.8, 0.0, 2000, 60),
    "w": (310, 650, 2200, 0.7, 0.0, 2000, 60),
    "n": (280, 1300, 2400, 0.5, 0.0, 2000, 80),
    "v": (300, 1100, 2300, 0.4, 0.05, 1500, 60),
    "z": (300, 1700, 2500, 0.3, 0.3, 3400, 80),
    "s": (300, 1700, 2500, 0.0, 0.5, 3500, 110),
    "f": (300, 1100, 2300, 0.0, 0.15, 1500, 90),
    "T": (300, 1400, 2500, 0.0, 0.12, 2600, 80),
    "t": (300, 1700, 2600, 0.0, 0.45, 3000, 30),
    ".": (300, 1500, 2500, 0.0, 0.0, 2000, 50),
}
WORDS = ("zIro", "wVn", ".tu", "Tri", "for", "faIv", "sI.s", "sevVn", "eI.t", "naIn")


def spoken_digits() -> Path:
    """The folder of the default set, made when it is first asked for."""
    return cached_set("formant-digits-1", lambda folder: write_digits(folder, 0))


def write_digits(folder: Path, seed: int, takes: int | None = None) -> None:
    """Write so many recordings (TAKES) of each digit by each speaker into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for speaker in SPEAKERS:
        for digit in range(len(WORDS)):
            for take in range(TAKES if takes is None else takes):
                name = f"{digit}_{speaker}_{take}.wav"
                sound = say(digit, speaker, generator(seed, name))
                soundfile.write(folder / name, sound, RATE, subtype="PCM_16")


def say(digit: int, speaker: str, rng: np.random.Generator) -> np.ndarray:
    """One recording of a digit, float32 (n,) in -1 … 1."""
    return utter(WORDS[digit], speaker, rng)


def utter(phones: str, speaker: str, rng: np.random.Generator) -> np.ndarray:
    """A row of phones by a speaker, float32 (n,) in -1 … 1."""
    tract, pitch, pace = SPEAKERS[speaker]
    tracks = _tracks(phones, pace, rng)
    formants = tracks[:3] * tract * rng.normal(1.0, 0.03, (3, 1))
    voice, noise, centre = tracks[3:6]
    length = len(voice)
    fall = np.linspace(rng.normal(1.08, 0.03), rng.normal(0.9, 0.03), length)
    sound = voice * _voiced(formants, pitch * rng.normal(1.0, 0.06) * fall)
    sound += noise * _noise_band(centre, rng)
    sound = sound / np.abs(sound).max() * np.exp(rng.uniform(np.log(0.05), np.log(0.8)))
    sound += np.exp(rng.uniform(np.log(1e-4), np.log(2e-3))) * rng.standard_normal(length)
    return np.clip(sound, -1, 1).astype(np.float32)


def _tracks(phones_said: str, pace: float, rng: np.random.Generator) -> np.ndarray:
    """Formants, strengths and noise centre at each sample (6, n), silence at both ends."""
    phones = np.array([PHONES[phone] for phone in f".{phones_said}."], float)
    durations = phones[:, 6] / 1000 / pace * rng.lognormal(0.0, 0.15, len(phones))
    phones[:, 3:5] *= rng.lognormal(0.0, 0.15, (len(phones), 2))
    ends = np.cumsum(durations)
    # Each phone holds its values over its middle half and glides to the next between.
    knots = np.stack([ends - 0.75 * durations, ends - 0.25 * durations], axis=1).ravel()
    time = np.arange(int(ends[-1] * RATE)) / RATE
    return np.stack([np.interp(time, knots, np.repeat(phones[:, i], 2)) for i in range(6)])


def _voiced(formants: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Harmonics of the pitch (n,) under the envelope of the formants (3, n)."""
    first = np.exp(2j * np.pi * np.cumsum(pitch) / RATE)
    harmonic, sound = np.ones_like(first), np.zeros(len(pitch))
    for k in range(1, int(_TOP_HZ / pitch.min()) + 1):
        harmonic *= first
        away = (k * pitch - formants) / np.array(HALF_WIDTHS)[:, None]
        envelope = (np.array(STRENGTHS)[:, None] / (1 + away**2)).sum(0)
        sound += envelope * (k * pitch < _TOP_HZ) * np.imag(harmonic)
    return sound


def _noise_band(centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit variance about a centre that moves [Hz] (n,)."""
    slow = rng.standard_normal((2, len(centre)))
    width = max(int(RATE / (2 * np.pi * NOISE_WIDTH * centre.mean())), 1)
    kernel = np.exp(-np.arange(4 * width) / width)
    slow = np.stack([np.convolve(part, kernel)[: len(centre)] for part in slow])
    slow /= np.sqrt((kernel**2).sum())
    phase = 2 * np.pi * np.cumsum(centre) / RATE
    return slow[0] * np.cos(phase) + slow[1] * np.sin(phase)
