"""When each character of a transcript is said: an alignment by broad kinds of sound.

    minimise   Σ_t |x_t − μ(c_t)|² + ((t − e(c_t)) / σ)²        over paths c that say the
    characters in order, each for two steps at least, none further than 2σ from e

Glossary
    x_t     loudness and tilt (high channels less low ones) of a voiced step, standardised over
            the utterance
    μ(c)    where sounds like the character's lie: vowels loud, sibilants tilted up, pauses faint
    e(c)    where the character would lie if all were spread evenly, σ = SLACK_MS

No character lasts through a pause of PAUSE_MS unless there are too few of them. Steps that are not
voiced are blank, unless they lie inside one character; so is the last step of a character that
comes twice. Found by dynamic programming (Viterbi), without any model.
"""

from __future__ import annotations

import numba
import numpy as np

from bim_explorer.tasks.audio import VOICED

BLANK = 0
SLACK_MS = 150.0
#: Silence that no character outlasts, where there are characters enough [ms].
PAUSE_MS = 80.0
#: Loudness and tilt of the characters that have a kind of sound.
_KINDS = {"AEIOU": (0.8, -0.3), "SZXCJ": (-0.3, 1.4), "FHTKPQ": (-0.7, 0.6), " '": (-1.2, 0.0)}
_VOICED_CONSONANT = (-0.1, -0.6)


def align(text: str, classes: np.ndarray, channels: np.ndarray, dt_ms: float) -> np.ndarray | None:
    """The class of every step, int64 (T,), or None where there are too few steps.

    Args:
        text: The characters that are said.
        classes: Class of each character, int64 (n,).
        channels: Log-mel channels less the loudest so far, float32 (T, n_mels).
        dt_ms: Time of a step [ms].
    """
    needed = 2 * len(text)
    voiced = channels.mean(1) > VOICED
    if voiced.sum() < needed:
        voiced[:] = True
    if len(voiced) < needed or not needed:
        return None
    costs = _costs(text, channels[voiced])
    slack = max(SLACK_MS / dt_ms, len(costs) / len(text))
    costs += _pull(len(costs), len(text), slack)
    apart = _apart(voiced, PAUSE_MS / dt_ms)
    path = _path(costs, apart)
    if path[0] < 0:
        path = _path(costs, np.zeros_like(apart))
    return spread(classes, path, voiced)


def spread(classes: np.ndarray, path: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """The class of every step where voiced steps say the characters of a path.

    Args:
        classes: Class of each character, int64 (n,).
        path: Place in the text of each voiced step, int64 (V,).
        voiced: Steps at which something is heard, bool (T,).
    """
    heard = np.cumsum(voiced)
    place = path[np.maximum(heard - 1, 0)]
    target = classes[place]
    steps, last_voiced = np.arange(len(place)), np.zeros(len(classes), np.int64)
    np.maximum.at(last_voiced, place[voiced], steps[voiced])
    following = classes[np.minimum(place + 1, len(classes) - 1)]
    twice = (following == target) & (np.append(place[1:], place[-1]) != place)
    target[(heard == 0) | (steps > last_voiced[place]) | twice] = BLANK
    return target


def _costs(text: str, channels: np.ndarray) -> np.ndarray:
    """How unlike each character's kind of sound each step is, float64 (V, n)."""
    third = channels.shape[1] // 3
    tilt = channels[:, -third:].mean(1) - channels[:, :third].mean(1)
    heard = np.stack([channels.mean(1), tilt], axis=1).astype(np.float64)
    heard = (heard - heard.mean(0)) / np.maximum(heard.std(0), 1e-3)
    kinds = [next((k for s, k in _KINDS.items() if c in s), _VOICED_CONSONANT) for c in text]
    return np.square(heard[:, None] - np.array(kinds)).sum(2)


def _apart(voiced: np.ndarray, pause: float) -> np.ndarray:
    """Voiced steps before which a pause ends, bool (V,)."""
    return np.diff(np.flatnonzero(voiced), prepend=0) > pause


def _pull(steps: int, characters: int, slack: float) -> np.ndarray:
    """How far each step is from each character's even place, squared over σ (V, n)."""
    even = (np.arange(characters) + 0.5) * steps / characters
    away = (np.arange(steps)[:, None] + 0.5 - even) / slack
    return np.where(np.abs(away) <= 2, away**2, np.inf)


@numba.njit(cache=True, nogil=True)
def _path(costs: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The cheapest place in the text of each step, int64 (V,); -1 throughout where there is none.

    A character has two states, and no two steps with a pause between them.
    """
    steps, states = costs.shape[0], 2 * costs.shape[1]
    best = np.full(states, np.inf)
    moved = np.zeros((steps, states), np.bool_)
    for t in range(steps):
        for state in range(states - 1, -1, -1):
            stay = best[state] if state % 2 and not apart[t] else np.inf
            come = best[state - 1] if state else (0.0 if t == 0 else np.inf)
            if state % 2 and apart[t]:
                come = np.inf
            moved[t, state] = come <= stay
            best[state] = min(come, stay) + costs[t, state // 2]
    path = np.full(steps, -1)
    if best[states - 1] == np.inf:
        return path
    state = states - 1
    for t in range(steps - 1, -1, -1):
        path[t] = state // 2
        if moved[t, state]:
            state -= 1
    return path
