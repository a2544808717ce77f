"""Synthetic scalp EEG with seizures, a small set in CHB-MIT's layout.

    potential(electrode, t) = background + alpha + muscle + seizure + noise    [µV]
    channel = difference of two electrodes

The background is noise that falls with frequency and is shared by neighbours; alpha waxes and
wanes over the back of the head; muscle comes in bursts at the temples, the false alarm to be
learned. A seizure spreads from its focus, grows out of fast low waves into spikes and waves, and
slows from six to two and a half a second. Patients differ in focus and size. Teaching material, of
no medical worth.
"""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np

from bim_explorer.core.seeding import generator
from bim_explorer.tasks.causal import bandpass, running_mean
from bim_explorer.tasks.readers.chbmit import MONTAGE, Span, write_seizures
from bim_explorer.tasks.synthetic.cache import cached_set

PROVENANCE = "Synthetic: EEG of made-up brains, with spike-wave seizures that evolve."
N_PATIENTS, N_RECORDINGS = 3, 6
RATE, SECONDS = 256, 60
CHANNELS = (*MONTAGE, "P7-T7", "T7-FT9", "FT9-FT10", "FT10-T8", "T8-P8")
#: Electrodes seen from above: left to right, back to front.
PLACES = {
    name: (x, y)
    for name, x, y in (
        *(("FP1", -0.3, 0.95), ("FP2", 0.3, 0.95), ("F7", -0.8, 0.6), ("F8", 0.8, 0.6)),
        *(("F3", -0.4, 0.5), ("F4", 0.4, 0.5), ("FZ", 0.0, 0.5), ("T7", -1.0, 0.0)),
        *(("T8", 1.0, 0.0), ("C3", -0.5, 0.0), ("C4", 0.5, 0.0), ("CZ", 0.0, 0.0)),
        *(("P7", -0.8, -0.6), ("P8", 0.8, -0.6), ("P3", -0.4, -0.5), ("P4", 0.4, -0.5)),
        *(("PZ", 0.0, -0.5), ("O1", -0.3, -0.95), ("O2", 0.3, -0.95), ("FT9", -1.05, 0.35)),
        ("FT10", 1.05, 0.35),
    )
}
_XY = np.array(list(PLACES.values()))


def synthetic_brains() -> Path:
    """The folder of the synthetic set, made now if it is not in the cache yet."""
    return cached_set("brains-1", lambda folder: write_set(folder, seed=0))


def write_set(
    folder: Path, seed: int, n_patients: int = N_PATIENTS, n_recordings: int = N_RECORDINGS
) -> None:
    """Write a set in CHB-MIT's layout: EDF, summaries, `.seizures`.

    Args:
        folder: Where it goes.
        seed: Seed of all chance in it.
        n_patients: Patients.
        n_recordings: Recordings of each; the last has no seizure if there are three or more.
    """
    for patient in range(1, n_patients + 1):
        case, rng = f"chb{patient:02}", generator(seed, f"brain {patient}")
        place = folder / case
        place.mkdir(parents=True)
        focus, size = _XY[rng.integers(len(_XY))], rng.uniform(0.8, 1.2)
        lines = [f"Data Sampling Rate: {RATE} Hz", "*" * 25, "", "Channels in EDF Files:", "*" * 22]
        lines += [f"Channel {n}: {name}" for n, name in enumerate(CHANNELS, start=1)]
        for number in range(1, n_recordings + 1):
            seizures: list[Span] = []
            if number < n_recordings or n_recordings < 3:
                begin = float(rng.integers(15, SECONDS - 30))
                seizures.append((begin, begin + float(rng.integers(15, 26))))
            name = f"{case}_{number:02}.edf"
            _write_edf(place / name, recording(seizures, focus, size, rng))
            if seizures:
                write_seizures(place / f"{name}.seizures", seizures, RATE)
            lines += _entry(name, number, seizures)
        (place / f"{case}-summary.txt").write_text("\n".join([*lines, ""]))


def recording(
    seizures: list[Span], focus: np.ndarray, size: float, rng: np.random.Generator
) -> np.ndarray:
    """A recording, microvolts, float64 (T, channels).

    Args:
        seizures: Begin and end of each in seconds.
        focus: Where on the head seizures come from, (2,).
        size: How large this patient's waves are.
        rng: Where chance comes from.
    """
    potential = size * (_background(rng) + _alpha(rng)) + _muscle(rng)
    for begin, end in seizures:
        first = int(begin * RATE)
        wave = seizure(int((end - begin) * RATE), rng)
        spread = np.exp(-((_XY - focus) ** 2).sum(1) / (2 * rng.uniform(0.5, 0.8) ** 2))
        potential[first : first + len(wave)] += size * wave[:, None] * spread
    number = {name: n for n, name in enumerate(PLACES)}
    pairs = np.array([[number[end] for end in channel.split("-")] for channel in CHANNELS])
    channels = potential[:, pairs[:, 0]] - potential[:, pairs[:, 1]]
    return channels + rng.normal(0, 1.5, channels.shape)


def seizure(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Spikes and waves that grow and slow down, microvolts, float64 (n_samples,)."""
    course = np.linspace(0, 1, n_samples)
    phase = np.cumsum((6.0 - 3.5 * course) * rng.uniform(0.9, 1.1)) / RATE % 1
    spike = np.exp(-0.5 * ((phase - 0.25) / 0.05) ** 2)
    wave = np.sin(np.pi * np.clip((phase - 0.4) / 0.6, 0, 1))
    fast = np.sin(2 * np.pi * 18 * np.arange(n_samples) / RATE)
    grown = np.clip(course / 0.3, 0, 1)
    size = rng.uniform(120, 200) * (0.25 + 0.75 * grown) * np.clip((1 - course) / 0.05, 0, 1)
    return size * (grown * (1.2 * spike - wave) + (1 - grown) * 0.5 * fast)


def _background(rng: np.random.Generator) -> np.ndarray:
    noise = running_mean(_noise(rng), RATE, 0.05) - running_mean(_noise(rng), RATE, 1.0)
    distance = np.linalg.norm(_XY[:, None] - _XY[None], axis=2)
    shared = np.exp(-0.5 * (distance / 0.5) ** 2)
    mixed = noise @ (shared / np.linalg.norm(shared, axis=0))
    return 25 * mixed / mixed.std()


def _alpha(rng: np.random.Generator) -> np.ndarray:
    carrier = bandpass(_noise(rng)[:, :1], RATE, 8.5, 11.5)
    slow = np.abs(running_mean(_noise(rng)[:, :1], RATE, 2.0))
    back = np.exp(-(((_XY[:, 1] + 0.9) / 0.5) ** 2))
    return 20 * (carrier / carrier.std()) * (slow / slow.mean()).clip(0, 2) * back


def _muscle(rng: np.random.Generator) -> np.ndarray:
    temples = np.clip(np.abs(_XY[:, 0]) - 0.6, 0, None) / 0.4
    bursts = np.zeros((SECONDS * RATE, 1))
    for _ in range(rng.poisson(3)):
        first = rng.integers(len(bursts))
        bursts[first : first + rng.integers(RATE // 2, 3 * RATE)] = rng.uniform(10, 40)
    return bursts * bandpass(_noise(rng), RATE, 25.0, 90.0) * 2 * temples


def _noise(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((SECONDS * RATE, len(_XY)))


def _entry(name: str, number: int, seizures: list[Span]) -> list[str]:
    hour = 8 + number
    lines = ["", f"File Name: {name}", f"File Start Time: {hour:02}:00:00"]
    lines += [f"File End Time: {hour:02}:{SECONDS // 60:02}:{SECONDS % 60:02}"]
    lines += [f"Number of Seizures in File: {len(seizures)}"]
    for begin, end in seizures:
        lines += [f"Seizure Start Time: {begin:.0f} seconds"]
        lines += [f"Seizure End Time: {end:.0f} seconds"]
    return lines


def _write_edf(path: Path, channels: np.ndarray) -> None:
    limit = 800.0
    signals = [
        edfio.EdfSignal(
            np.clip(column, -limit, limit),
            RATE,
            label=name,
            physical_dimension="uV",
            physical_range=(-limit, limit),
        )
        for name, column in zip(CHANNELS, channels.T, strict=True)
    ]
    edfio.Edf(signals).write(path)
