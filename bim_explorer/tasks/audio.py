"""Sound: files to samples, samples to log-mel channels at the step rate.

    samples ── log mel energies ──▶ less the loudest so far

Step t has heard the samples up to (t + 1) dt and none later: each window ends where its step does.
The level that is taken off is the largest mean log energy so far (automatic gain control with
peak hold), so that speakers and microphones of different loudness look alike from their first
loud sound on.
Source: kaldi-native-fbank (Kaldi's filter bank) for the energies, soundfile for the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import kaldi_native_fbank as fbank
import numpy as np
import soundfile

from bim_explorer.core.errors import ConfigError, DataError

WINDOW_MS = 25.0
#: Range of the mel filters, inside what sound of 8,000 samples a second holds.
LOW_HZ, HIGH_HZ = 100.0, 3800.0
#: Natural logarithm of the faintest energy that is told from silence.
FLOOR = -13.0
#: Level that is taken off before anything louder was heard.
QUIET = -9.0
#: Mean log energy, less the loudest so far, above which a step is taken for speech.
VOICED = -5.0
_UNSIZED = 0xFFFFFFFF


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """Samples float32 (n,) in -1 … 1, channels mixed to one, and how many there are a second.

    Raises:
        DataError: The file is missing, empty, truncated, or no sound.
    """
    _check_size(path)
    try:
        with soundfile.SoundFile(path) as file:
            promised, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path} cannot be read as sound: {error.error_string}") from error
    if len(samples) < promised:
        raise DataError(
            f"{path} is truncated: {len(samples)} of {promised} samples are there; fetch it again."
        )
    if not len(samples):
        raise DataError(f"{path} holds no samples: remove it or fetch it again.")
    if not np.isfinite(samples).all():
        raise DataError(f"{path} holds samples that are no numbers: fetch it again.")
    return samples.mean(1), rate


def log_mel(samples: np.ndarray, rate: int, dt_ms: float, n_mels: int) -> np.ndarray:
    """Log-mel channels less the loudest so far, float32 (T, n_mels), one step every `dt_ms`.

    Args:
        samples: Sound, float32 (n,).
        rate: Samples a second.
        dt_ms: Time of a step [ms].
        n_mels: Channels.

    Raises:
        ConfigError: A step is shorter than a sample.
    """
    hop = int(rate * dt_ms / 1000)
    if hop < 1:
        raise ConfigError(f"dt_ms of {dt_ms:g} is shorter than a sample of sound: raise it.")
    window_ms = max(WINDOW_MS, dt_ms)
    bank = fbank.OnlineFbank(_options(rate, dt_ms, window_ms, n_mels))
    silence = np.zeros(int(rate * window_ms / 1000) - hop, np.float32)
    padded = np.concatenate([silence, samples])
    bank.accept_waveform(rate, cast(Sequence[float], padded))
    bank.input_finished()
    frames = [bank.get_frame(t) for t in range(bank.num_frames_ready)]
    energies = np.maximum(np.array(frames, np.float32).reshape(-1, n_mels), FLOOR)
    level = np.maximum(np.maximum.accumulate(energies.mean(1)), QUIET)
    return energies - level[:, None]


def _options(rate: int, dt_ms: float, window_ms: float, n_mels: int) -> fbank.FbankOptions:
    options = fbank.FbankOptions()
    frame = options.frame_opts
    frame.samp_freq, frame.frame_shift_ms, frame.frame_length_ms = rate, dt_ms, window_ms
    frame.dither, frame.snip_edges = 0.0, True
    options.mel_opts.num_bins = n_mels
    options.mel_opts.low_freq = LOW_HZ
    options.mel_opts.high_freq = min(HIGH_HZ, 0.475 * rate)
    return options


def _check_size(path: Path) -> None:
    """Say what soundfile would not: an empty file, and a WAV that ends before its header says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if not size:
        raise DataError(f"{path} is empty: remove it or fetch it again.")
    promised = int.from_bytes(head[4:8], "little")
    if head[:4] == b"RIFF" and promised not in (0, _UNSIZED) and size < promised + 8:
        raise DataError(
            f"{path} is truncated: {size} of {promised + 8} bytes are there; fetch it again."
        )
