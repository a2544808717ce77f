"""CHB-MIT's layout: folders `chbNN` of EDF recordings, `chbNN-summary.txt`, `.edf.seizures`.

What the published files do, and what is made of it:

    chb02_16+.edf, chb17a_03.edf        the patient is the first "chb" and two digits
    chb21                               the girl of chb01, a year and a half later: patient chb01
    Seizure 1 Start Time:  1665 seconds numbered or not, any number of spaces
    File End Time: 24:44:29             hours go on behind midnight, or begin anew
    chb24-summary.txt                   has no times, and lists only recordings with seizures
    "Channels changed:"                 a new list, in force from the next recording on
    -, .                                channels that are not connected
    FP1, FP1-CS2                        electrodes against a common one: differences are formed
    T8-P8 twice                         the first one counts
    01 for O1                           a zero for the letter
    chb02_17.edf.seizures               of some copies contradicts the summary: it counts, with
                                        a remark

Source: physionet.org/content/chbmit/1.0.0, Shoeb 2009.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.wfdb import read_annotations

#: The 18 differences of the longitudinal bipolar montage, in the order of most recordings.
MONTAGE = (
    *("FP1-F7", "F7-T7", "T7-P7", "P7-O1", "FP1-F3", "F3-C3", "C3-P3", "P3-O1"),
    *("FP2-F4", "F4-C4", "C4-P4", "P4-O2", "FP2-F8", "F8-T8", "T8-P8", "P8-O2"),
    *("FZ-CZ", "CZ-PZ"),
)
_SEIZURE = re.compile(r"Seizure\s*\d*\s*(Start|End) Time:\s*(\d+)\s*seconds", re.IGNORECASE)
_CHANNEL = re.compile(r"Channel\s+\d+:\s*(.*)$")
_TIME = re.compile(r"(\d+):(\d+):(\d+)$")
_PATIENT = re.compile(r"chb\d\d")
_SAME_PERSON = {"chb21": "chb01"}
_COMMON = re.compile(r"-(CS\d|REF)$")
_NOTE, _BEGIN, _END, _SKIP, _AUX = 22, 32, 33, 59, 63
_DEFAULT_RESOLUTION = 256.0
_DAY_S = 86_400

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as its patient's summary lists it.

    Attributes:
        name: File name.
        start_s: Time of day at which it begins; None where the summary does not say.
        length_s: Its length; None where the summary does not say.
        seizures: Begin and end of each seizure, in seconds from the recording's start.
        channels: Its channels as the summary lists them, "" for those not connected.
    """

    name: str
    start_s: int | None
    length_s: int | None
    seizures: tuple[Span, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording on the disk.

    Attributes:
        path: The EDF file.
        patient: Who was recorded, "chb01".
        seizures: Begin and end of each seizure, in seconds from the recording's start.
        remark: A sentence where its annotations contradict each other; "" where they don't.
    """

    path: Path
    patient: str
    seizures: tuple[Span, ...]
    remark: str = ""


def recordings(folder: Path) -> list[Recording]:
    """All recordings of a folder in CHB-MIT's layout, in the order of their paths.

    Seizures come from the recording's own `.seizures` file if there is one, else from the
    summary; a recording that neither knows has none.

    Raises:
        DataError: There is no recording, or a summary or annotation cannot be read.
    """
    files = sorted(folder.rglob("chb*.edf"))
    if not files:
        raise DataError(
            f"{folder} holds no chbNN_MM.edf: give a folder in CHB-MIT's layout "
            "(chb01/chb01_03.edf, chb01/chb01-summary.txt)."
        )
    summaries: dict[Path, dict[str, Listed]] = {}
    for place in {file.parent for file in files}:
        lists = map(read_summary, sorted(place.glob("*summary.txt")))
        summaries[place] = {listed.name: listed for listed in chain.from_iterable(lists)}
    return [_recording(file, summaries[file.parent].get(file.name)) for file in files]


def read_summary(path: Path) -> list[Listed]:
    """The recordings that a `chbNN-summary.txt` lists.

    Raises:
        DataError: It is missing, lists nothing, or a seizure in it has no end.
    """
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    found = list(_listed(path, [line.strip() for line in text.splitlines()]))
    if not found:
        raise DataError(f"{path} lists no recording: a line `File Name: …` begins each of them.")
    return found


def read_seizures(path: Path) -> tuple[Span, ...]:
    """The seizures of an `.edf.seizures` file, in seconds from the recording's start.

    Raises:
        DataError: It is missing, damaged, or a seizure in it has no end.
    """
    resolution = _DEFAULT_RESOLUTION
    begins, ends = [], []
    for event in read_annotations(path):
        if event.text.startswith("## time resolution:"):
            resolution = float(event.text.partition(":")[2])
        elif event.code == _BEGIN:
            begins.append(event.sample / resolution)
        elif event.code == _END:
            ends.append(event.sample / resolution)
    return _spans(path, "", begins, ends)


def write_seizures(path: Path, seizures: Sequence[Span], rate: int) -> None:
    """Write an `.edf.seizures` file, as the published ones are: skips, begin and end marks."""
    text = f"## time resolution: {rate}".encode()
    data = _word(_NOTE) + _word(_AUX, len(text)) + text + bytes(len(text) % 2)
    data += _skip(-1) + _word(0, 1)
    before = 0
    for span in seizures:
        for code, at in zip((_BEGIN, _END), span, strict=True):
            data += _skip(round(at * rate) - before) + _word(code)
            before = round(at * rate)
    path.write_bytes(data + _word(0))


def patient_of(name: str) -> str:
    """Who was recorded, by the file's name; one person is one patient even in two cases."""
    found = _PATIENT.match(name)
    case = found.group() if found else name
    return _SAME_PERSON.get(case, case)


def electrode_pairs(labels: tuple[str, ...]) -> dict[str, tuple[int, int | None]]:
    """Where each difference of the montage comes from among a file's channels.

    Returns:
        Its name with the number of its channel and None, or with those of its two electrodes,
        the second to be taken from the first. What cannot be formed is not in it.
    """
    names = [tidy(label) for label in labels]
    first = {name: number for number, name in reversed(list(enumerate(names))) if name}
    found: dict[str, tuple[int, int | None]] = {}
    for pair in MONTAGE:
        one, other = pair.split("-")
        if pair in first:
            found[pair] = (first[pair], None)
        elif one in first and other in first:
            found[pair] = (first[one], first[other])
    return found


def tidy(label: str) -> str:
    """A channel's name in capitals, without the common electrode; "" if it is not connected."""
    name = label.strip().upper()
    name = _COMMON.sub("", name)
    name = re.sub(r"^0(?=\d)", "O", name)
    return "" if not name.strip("-.") else name


def _recording(path: Path, listed: Listed | None) -> Recording:
    beside = path.with_name(path.name + ".seizures")
    seizures, remark = listed.seizures if listed else (), ""
    if beside.is_file():
        own = read_seizures(beside)
        if listed and own != seizures:
            remark = f"{beside} and the summary disagree about the seizures; the former counts."
        seizures = own
    return Recording(path, patient_of(path.name), seizures, remark)


def _listed(path: Path, lines: list[str]) -> Iterator[Listed]:
    channels: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if line.startswith("Channels"):
            channels = []
        elif found := _CHANNEL.match(line):
            channels.append(tidy(found.group(1)))
        elif line.startswith("File Name:"):
            own = place
            while place < len(lines) and not lines[place].startswith(("File Name:", "Channels")):
                place += 1
            yield _entry(path, line, lines[own:place], tuple(channels))


def _entry(path: Path, line: str, lines: list[str], channels: tuple[str, ...]) -> Listed:
    name = line.partition(":")[2].strip()
    begins, ends = [], []
    start = stop = None
    announced = 0
    for line in lines:
        if found := _SEIZURE.match(line):
            (begins if found.group(1).lower() == "start" else ends).append(float(found.group(2)))
        elif line.startswith("File Start Time:"):
            start = _seconds(line)
        elif line.startswith("File End Time:"):
            stop = _seconds(line)
        elif line.startswith("Number of Seizures in File:"):
            announced = int(line.partition(":")[2])
    spans = _spans(path, f" of {name}", begins, ends)
    if len(spans) != announced:
        raise DataError(f"{path} announces {announced} seizures of {name} but lists {len(spans)}.")
    length = None if start is None or stop is None else (stop - start) % _DAY_S
    return Listed(name, None if start is None else start % _DAY_S, length, spans, channels)


def _spans(path: Path, which: str, begins: list[float], ends: list[float]) -> tuple[Span, ...]:
    spans = tuple(zip(begins, ends, strict=False))
    if len(begins) != len(ends) or any(end <= begin for begin, end in spans):
        raise DataError(f"{path}: a seizure{which} has no end behind its begin.")
    return spans


def _word(code: int, low: int = 0) -> bytes:
    return (code << 10 | low).to_bytes(2, "little")


def _skip(samples: int) -> bytes:
    """A skip of any length: the high half of four bytes comes first."""
    whole = samples & 0xFFFFFFFF
    halves = (whole >> 16, whole & 0xFFFF)
    return _word(_SKIP) + b"".join(half.to_bytes(2, "little") for half in halves)


def _seconds(line: str) -> int | None:
    found = _TIME.search(line)
    if found is None:
        return None
    hours, minutes, seconds = map(int, found.groups())
    return 3600 * hours + 60 * minutes + seconds
