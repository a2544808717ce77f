"""Synthetic 12-lead ECG, a small set in PTB-XL's layout.

    v(t) = Σ_beats Σ_waves  a_w exp(−(t − t_beat − τ_w)² / 2 s_w²)      heart vector, 3 axes [mV]
    leads = D v + baseline wander + noise                               D after Dower

Each wave (P, Q, R, S, J, T) is a Gaussian in time along a direction in space, as in McSharry's
model with its ring unrolled; hearts differ in rate, axis, amplitudes and widths. Superclasses
change the waves: MI a Q wave and ST elevation over the dead wall, STTC a turned T wave and a
lowered ST segment, CD a QRS complex half as wide again with a late part to one side, HYP a large
left ventricle with strain. Teaching material, of no medical worth.

Source: McSharry et al. 2003; Dower, Machado & Osborne 1980 for D.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bim_explorer.core.seeding import generator
from bim_explorer.tasks.readers.ptbxl import LEADS, SUPERCLASSES
from bim_explorer.tasks.readers.wfdb import write_record
from bim_explorer.tasks.synthetic.cache import cached_set

PROVENANCE = "Synthetic: 12-lead ECG of made-up hearts, with class-dependent morphology."
RECORDS_PER_FOLD, N_FOLDS = 30, 10
RATE, SECONDS = 100.0, 10.0
#: Leads from the axes left, down, back.
DOWER = np.array(
    [
        *([0.632, -0.235, 0.059], [0.235, 1.066, -0.132], [-0.397, 1.301, -0.191]),
        *([-0.434, -0.415, 0.037], [0.515, -0.768, 0.125], [-0.081, 1.184, -0.162]),
        *([-0.515, 0.157, -0.917], [0.044, 0.164, -1.387], [0.882, 0.098, -1.277]),
        *([1.213, 0.127, -0.601], [1.125, 0.127, -0.086], [0.831, 0.076, 0.230]),
    ]
)
P, Q, R, S, J, T = range(6)
#: Time behind the beat [s], width [s], and direction [mV] of each wave of a healthy heart.
_TIMES = np.array([-0.16, -0.03, 0.0, 0.03, 0.10, 0.27])
_WIDTHS = np.array([0.022, 0.010, 0.012, 0.012, 0.030, 0.045])
_VECTORS = np.array(
    [
        *([0.05, 0.10, -0.02], [-0.10, -0.04, -0.14], [0.95, 0.75, 0.10]),
        *([-0.18, -0.12, 0.45], [0.0, 0.0, 0.0], [0.26, 0.20, -0.08]),
    ]
)
#: One statement of each superclass, as the tables of the set name it.
STATEMENTS = {"NORM": "NORM", "IMI": "MI", "NDT": "STTC", "CLBBB": "CD", "LVH": "HYP"}
_CODES = {superclass: code for code, superclass in STATEMENTS.items()}


def synthetic_hearts() -> Path:
    """The folder of the synthetic set, made now if it is not in the cache yet."""
    return cached_set("hearts-1", lambda folder: write_set(folder, seed=0))


def write_set(folder: Path, seed: int, per_fold: int = RECORDS_PER_FOLD) -> None:
    """Write a set in PTB-XL's layout.

    Args:
        folder: Where it goes.
        seed: Seed of all chance in it.
        per_fold: Records of each of the ten folds.
    """
    rng = generator(seed, "hearts")
    place = Path("records100/00000")
    (folder / place).mkdir(parents=True)
    rows = []
    for number in range(1, per_fold * N_FOLDS + 1):
        labels = draw_labels(rng)
        path = place / f"{number:05}_lr"
        write_record(folder / path, heart(labels, rng), RATE, LEADS)
        codes = {_CODES[label]: 100.0 for label in labels}
        rows.append([number, number, codes, number % N_FOLDS + 1, path, ""])
    columns = ["ecg_id", "patient_id", "scp_codes", "strat_fold", "filename_lr", "filename_hr"]
    _write_table(folder / "ptbxl_database.csv", columns, rows)
    statements = [[code, "1.0", superclass] for code, superclass in STATEMENTS.items()]
    _write_table(folder / "scp_statements.csv", ["", "diagnostic", "diagnostic_class"], statements)


def draw_labels(rng: np.random.Generator) -> tuple[str, ...]:
    """Superclasses of a heart: healthy in two of five, else one or two diagnoses."""
    if rng.random() < 0.4:
        return ("NORM",)
    drawn = rng.choice(SUPERCLASSES[1:], size=rng.choice([1, 2], p=[0.7, 0.3]), replace=False)
    return tuple(str(name) for name in drawn)


def heart(labels: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """A record of a heart with these superclasses, millivolts, float64 (T, 12)."""
    times, widths, vectors = _waves(labels, rng)
    n_samples = int(RATE * SECONDS)
    clock = np.arange(n_samples) / RATE
    vector = np.zeros((n_samples, 3))
    for beat in _beats(rng):
        shape = np.exp(-0.5 * ((clock[:, None] - beat - times) / widths) ** 2)
        vector += shape @ vectors
    leads = vector @ DOWER.T
    wander = rng.normal(0, 0.08, 12) * np.sin(
        2 * np.pi * (rng.uniform(0.15, 0.4) * clock[:, None] + rng.random(12))
    )
    return leads + wander + rng.normal(0, 0.02, leads.shape)


def _waves(
    labels: Sequence[str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times = _TIMES * rng.normal(1, 0.06, len(_TIMES))
    widths = _WIDTHS * rng.normal(1, 0.1, len(_WIDTHS)).clip(0.7, 1.3)
    vectors = _VECTORS * rng.lognormal(0, 0.2, (len(_VECTORS), 1))
    vectors = vectors + rng.normal(0, 0.12, vectors.shape) * np.linalg.norm(
        vectors, axis=1, keepdims=True
    )
    severity = rng.uniform(0.6, 1.2)
    for label in labels:
        _CHANGES[label](times, widths, vectors, severity, rng)
    return times, widths, vectors @ _turned(rng.normal(0, 0.2)).T


def _healthy(times, widths, vectors, severity, rng) -> None:
    pass


def _infarct(times, widths, vectors, severity, rng) -> None:
    """The wall is dead: early forces point away from it, injury currents towards it."""
    wall = np.array([[0.1, 1.0, 0.1], [0.3, 0.1, -1.0]])[rng.integers(2)]
    vectors[Q] -= 0.5 * severity * wall
    widths[Q] *= 1.8
    vectors[J] += 0.15 * severity * wall
    vectors[T] -= 0.25 * severity * wall


def _repolarisation(times, widths, vectors, severity, rng) -> None:
    vectors[T] *= -0.6 * severity
    vectors[J] -= 0.1 * severity * np.array([0.8, 0.6, -0.1])


def _conduction(times, widths, vectors, severity, rng) -> None:
    """A bundle is blocked: its side comes late, to the left and back or to the right and front."""
    late = np.array([[0.7, 0.1, 0.6], [-0.6, 0.0, -0.7]])[rng.integers(2)]
    widths[[Q, R, S]] *= 1 + 0.5 * severity
    times[S] += 0.03 * severity
    vectors[S] = 0.9 * severity * late
    widths[S] *= 1.4
    vectors[T] -= 0.3 * severity * late


def _hypertrophy(times, widths, vectors, severity, rng) -> None:
    vectors[R] *= 1 + 0.6 * severity
    vectors[S] += 0.6 * severity * np.array([0.3, 0.0, 0.8])
    vectors[T] -= 0.2 * severity * np.array([1.0, 0.4, 0.1])


_CHANGES = {
    "NORM": _healthy,
    "MI": _infarct,
    "STTC": _repolarisation,
    "CD": _conduction,
    "HYP": _hypertrophy,
}


def _turned(angle: float) -> np.ndarray:
    """Turn the frontal plane: another electrical axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _beats(rng: np.random.Generator) -> np.ndarray:
    """Times of the beats in seconds, from before the record to behind it."""
    distance = 60 / rng.uniform(55, 95)
    distances = distance * (1 + rng.normal(0, 0.03, int(SECONDS / distance) + 4))
    return np.cumsum(distances) - distance * rng.uniform(1, 2)


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
