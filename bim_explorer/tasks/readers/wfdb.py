"""WFDB records and annotations: a `.hea` header, signal files of format 16 or 212, `.atr` and kin.

    physical value = (stored value − baseline) / gain

The lowest stored value means "not measured" and becomes NaN. Every signal's initial value and
checksum are held against its samples, so a damaged file is noticed. What the `wfdb` package reads
of these formats is read alike (the tests compare); it would bring aiohttp and matplotlib along.

Source: WFDB Applications Guide, header(5), signal(5), annot(5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bim_explorer.core.errors import DataError

_DEFAULT_GAIN, _DEFAULT_RATE = 200.0, 250.0
_GAIN = re.compile(r"(?P<gain>[-+.\deE]+)(\((?P<baseline>-?\d+)\))?(/(?P<units>\S+))?$")
_FORMAT = re.compile(r"(?P<code>\d+)(x(?P<frame>\d+))?(:(?P<skew>\d+))?(\+(?P<offset>\d+))?$")
#: Annotation codes that carry something other than an event.
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal as the header describes it."""

    file: str
    code: int
    offset: int
    gain: float
    baseline: int
    units: str
    initial: int | None
    checksum: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """A record's header.

    Attributes:
        path: The header file.
        rate: Samples a second.
        n_samples: Samples of each signal; None where the header does not say.
        signals: The signals, in order.
    """

    path: Path
    rate: float
    n_samples: int | None
    signals: tuple[SignalLine, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """An event: its sample number, its code, and the text that belongs to it."""

    sample: int
    code: int
    text: str


def read_header(path: Path) -> Header:
    """The header of a record, given with or without `.hea`.

    Raises:
        DataError: It is missing or no WFDB header.
    """
    path = path if path.suffix == ".hea" else path.with_name(path.name + ".hea")
    text = _bytes(path).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    try:
        _, count, *rest = lines[0].split()
        rate = float(rest[0].split("/")[0].split("(")[0]) if rest else _DEFAULT_RATE
        n_samples = int(rest[1]) if len(rest) > 1 else 0
        if rate <= 0 or int(count) != len(lines[1:]):
            raise ValueError(f"{count} signals announced, {len(lines) - 1} described")
        signals = tuple(_signal_line(line) for line in lines[1:])
    except (IndexError, ValueError) as error:
        raise DataError(f"{path} is no WFDB header ({error}): fetch it anew.") from error
    return Header(path, rate, n_samples or None, signals)


def read_record(path: Path) -> tuple[np.ndarray, Header]:
    """All signals of a record in physical units, float32 (T, signals), NaN where not measured.

    Raises:
        DataError: A file is missing, cut short, damaged, or of a format that is not read.
    """
    header = read_header(path)
    if not header.signals:
        raise DataError(f"{header.path} describes no signal.")
    columns: list[np.ndarray] = []
    for file in dict.fromkeys(signal.file for signal in header.signals):
        columns += _columns(header, file)
    length = min(map(len, columns))
    return np.stack([column[:length] for column in columns], axis=1), header


def read_annotations(path: Path) -> list[Annotation]:
    """The events of an annotation file, in the order of the file.

    Raises:
        DataError: It is missing, or ends before its end mark.
    """
    data = _bytes(path)
    found: list[Annotation] = []
    place, sample = 0, 0
    try:
        while True:
            word = int.from_bytes(_take(data, place, 2), "little")
            place += 2
            code, low = word >> 10, word & 0x3FF
            if not word:
                return found
            if code == _SKIP:
                high, least = np.frombuffer(_take(data, place, 4), "<u2").astype(np.int64)
                sample += int(np.int32(np.uint32(high << 16 | least)))
                place += 4
            elif code == _AUX:
                text = _take(data, place, low).decode("utf-8", "replace").rstrip("\0")
                place += low + low % 2
                if found:
                    found[-1] = Annotation(found[-1].sample, found[-1].code, text)
            elif code not in (_NUM, _SUB, _CHN):
                sample += low
                found.append(Annotation(sample, code, ""))
    except EOFError as error:
        raise DataError(f"{path} ends without an end mark: fetch it anew.") from error


def write_record(path: Path, signal: np.ndarray, rate: float, leads: Sequence[str]) -> None:
    """Write a record of format 16 with 1000 steps a millivolt.

    Args:
        path: The record; `.hea` and `.dat` are put behind it.
        signal: Millivolts, float (T, leads).
        rate: Samples a second.
        leads: Names of the signals.
    """
    name = path.name
    stored = np.clip(np.round(signal * 1000), -32767, 32767).astype("<i2")
    path.with_name(f"{name}.dat").write_bytes(stored.tobytes())
    lines = [f"{name} {len(leads)} {rate:g} {len(stored)}"]
    for column, lead in zip(stored.T, leads, strict=True):
        checksum = int(np.int16(np.uint16(column.astype(np.int64).sum() & 0xFFFF)))
        lines.append(f"{name}.dat 16 1000.0(0)/mV 16 0 {column[0]} {checksum} 0 {lead}")
    path.with_name(f"{name}.hea").write_text("\n".join(lines) + "\n")


def _signal_line(line: str) -> SignalLine:
    file, code, *rest = line.split(maxsplit=8)
    form = _FORMAT.match(code)
    if form is None:
        raise ValueError(f"format {code!r}")
    if form["frame"] not in (None, "1"):
        raise ValueError("several samples a frame are not read")
    fields = [*rest, *[""] * (7 - len(rest))]
    gain = _GAIN.match(fields[0]) if fields[0] else None
    zero = int(fields[2]) if fields[2] else 0
    return SignalLine(
        file=file,
        code=int(form["code"]),
        offset=int(form["offset"] or 0),
        gain=(float(gain["gain"]) if gain else 0.0) or _DEFAULT_GAIN,
        baseline=int(gain["baseline"]) if gain and gain["baseline"] else zero,
        units=(gain["units"] if gain else None) or "mV",
        initial=int(fields[3]) if fields[3] else None,
        checksum=int(fields[4]) if fields[4] else None,
        name=fields[6].strip(),
    )


def _columns(header: Header, file: str) -> list[np.ndarray]:
    """Physical values of the signals that one file holds."""
    signals = [signal for signal in header.signals if signal.file == file]
    path = header.path.with_name(file)
    code, offset = signals[0].code, signals[0].offset
    if code not in _UNPACK:
        raise DataError(f"{path} has WFDB format {code}; only 16 and 212 are read.")
    unpack, lowest = _UNPACK[code]
    stored = unpack(_bytes(path)[offset:])
    length = header.n_samples or len(stored) // len(signals)
    if len(stored) < length * len(signals):
        there = len(stored) // len(signals)
        raise DataError(f"{path} is cut short: {there} of {length} samples; fetch it anew.")
    table = stored[: length * len(signals)].reshape(length, len(signals))
    return [_physical(path, signal, table[:, i], lowest) for i, signal in enumerate(signals)]


def _physical(path: Path, signal: SignalLine, stored: np.ndarray, lowest: int) -> np.ndarray:
    wrong = signal.initial is not None and len(stored) and stored[0] != signal.initial
    total = int(stored.sum(dtype=np.int64))
    if wrong or (signal.checksum is not None and (total - signal.checksum) & 0xFFFF):
        raise DataError(
            f"{path} is damaged: signal {signal.name!r} does not fit its checksum; fetch it anew."
        )
    values = ((stored - signal.baseline) / signal.gain).astype(np.float32)
    values[stored == lowest] = np.nan
    return values


def _unpack_16(data: bytes) -> np.ndarray:
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int32)


def _unpack_212(data: bytes) -> np.ndarray:
    """Two samples of 12 bits in three bytes: low byte, both high nibbles, low byte."""
    last = data[-2:] if len(data) % 3 == 2 else b""
    triples = np.frombuffer(data[: len(data) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.int32)
    first = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    second = triples[:, 2] | (triples[:, 1] & 0xF0) << 4
    samples = np.stack([first, second], axis=1).ravel()
    if last:
        samples = np.append(samples, last[0] | (last[1] & 0x0F) << 8)
    return np.where(samples > 2047, samples - 4096, samples).astype(np.int32)


#: What unpacks a format, and its value for "not measured".
_UNPACK = {16: (_unpack_16, -32768), 212: (_unpack_212, -2048)}


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if not data:
        raise DataError(f"{path} is empty: fetch it anew.")
    return data


def _take(data: bytes, place: int, length: int) -> bytes:
    piece = data[place : place + length]
    if len(piece) < length:
        raise EOFError
    return piece
