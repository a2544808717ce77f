"""The data sets that are known: where each comes from, how it lies on disk, what may be fetched.

A folder is recognised by the files that only its layout has; what is in it, the task that reads
it says with the class method `inspect(path)`, and writes a synthetic set with `make(folder, seed)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from bim_explorer.core.errors import DataError, unknown_name

#: How deep below a folder its marks are looked for.
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Address:
    """Where a set, or a part of it, can be fetched.

    Attributes:
        url: Of a file or an archive; of a folder with SHA256SUMS.txt in it if it ends in "/".
        checksum: "md5:…" or "sha256:…" as published; empty if none is.
        only: Beginnings of the paths to take from a folder; empty for all.
    """

    url: str
    checksum: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSet:
    """One known data set.

    Attributes:
        name: What commands call it.
        title: Its full name.
        tasks: Tasks that read it.
        home: Page that it is published on.
        licence: Its terms.
        size: Of the download.
        layout: What its folder holds.
        marks: Patterns of file names that only its layout has.
        addresses: Where it can be fetched; none where only its home page has it.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    home: str
    licence: str
    size: str
    layout: str
    marks: tuple[str, ...]
    addresses: tuple[Address, ...] = ()


_WIKITEXT = "https://s3.amazonaws.com/research.metamind.io/wikitext/"
_WIKITEXT_HOME = "https://blog.salesforceairesearch.com/the-wikitext-long-term-dependency-language-modeling-dataset/"
_WIKITEXT_LAYOUT = "wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens (or .raw)"
_WIKITEXT_MARKS = ("wiki.train.tokens", "wiki.train.raw", "wiki.valid.tokens", "wiki.valid.raw")
_LIBRISPEECH = "https://www.openslr.org/resources/12/"
_PHYSIONET = "https://physionet.org/files/"

DATA_SETS = (
    DataSet(
        name="wikitext-103",
        title="WikiText-103, good and featured articles of Wikipedia",
        tasks=("text", "words"),
        home=_WIKITEXT_HOME,
        licence="CC BY-SA 3.0, Merity et al. 2016",
        size="181 MB",
        layout=_WIKITEXT_LAYOUT,
        marks=_WIKITEXT_MARKS,
        addresses=(
            Address(f"{_WIKITEXT}wikitext-103-v1.zip", "md5:9ddaacaf6af0710eda8c456decff7832"),
        ),
    ),
    DataSet(
        name="wikitext-2",
        title="WikiText-2, a small part of the same articles",
        tasks=("text", "words"),
        home=_WIKITEXT_HOME,
        licence="CC BY-SA 3.0, Merity et al. 2016",
        size="4.3 MB",
        layout=_WIKITEXT_LAYOUT,
        marks=_WIKITEXT_MARKS,
        addresses=(
            Address(f"{_WIKITEXT}wikitext-2-v1.zip", "md5:542ccefacc6c27f945fb54453812b3cd"),
        ),
    ),
    DataSet(
        name="tinyshakespeare",
        title="Tiny Shakespeare, plain text for character models",
        tasks=("text", "words"),
        home="https://github.com/karpathy/char-rnn",
        licence="public domain text",
        size="1.1 MB",
        layout="input.txt",
        marks=("input.txt",),
        addresses=(
            Address(
                "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
                "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            ),
        ),
    ),
    DataSet(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        tasks=("digits", "connected-digits"),
        home="https://github.com/Jakobovski/free-spoken-digit-dataset",
        licence="CC BY-SA 4.0, Jackson et al.",
        size="16 MB",
        layout="recordings/{digit}_{speaker}_{index}.wav, 8 kHz mono",
        marks=("[0-9]_*_[0-9]*.wav",),
        addresses=(
            Address(
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz"
            ),
        ),
    ),
    DataSet(
        name="librispeech",
        title="LibriSpeech, read English: train-clean-100, dev-clean and test-clean",
        tasks=("librispeech",),
        home="https://www.openslr.org/12",
        licence="CC BY 4.0, Panayotov et al. 2015",
        size="7 GB",
        layout="SPLIT/SPEAKER/CHAPTER/*.flac with SPEAKER-CHAPTER.trans.txt",
        marks=("*-*.trans.txt",),
        addresses=(
            Address(f"{_LIBRISPEECH}dev-clean.tar.gz", "md5:42e2234ba48799c1f50f24a7926300a1"),
            Address(f"{_LIBRISPEECH}test-clean.tar.gz", "md5:32fa31d27d2e1cad72775fee3f4849a9"),
            Address(
                f"{_LIBRISPEECH}train-clean-100.tar.gz", "md5:2a93770f6d5c6c964bc36631d331a522"
            ),
        ),
    ),
    DataSet(
        name="chb-mit",
        title="CHB-MIT Scalp EEG Database",
        tasks=("eeg",),
        home="https://physionet.org/content/chbmit/1.0.0/",
        licence="ODC-By 1.0, Shoeb 2009",
        size="43 GB",
        layout="chbNN/chbNN_MM.edf with chbNN-summary.txt and .edf.seizures",
        marks=("chb[0-9][0-9]-summary.txt",),
        addresses=(Address(f"{_PHYSIONET}chbmit/1.0.0/"),),
    ),
    DataSet(
        name="ptb-xl",
        title="PTB-XL, 12-lead ECG, the records at 100 Hz",
        tasks=("ecg",),
        home="https://doi.org/10.13026/x4td-x982",
        licence="CC BY 4.0, Wagner et al. 2020",
        size="0.6 GB",
        layout="ptbxl_database.csv, scp_statements.csv, records100/",
        marks=("ptbxl_database.csv",),
        addresses=(
            Address(
                f"{_PHYSIONET}ptb-xl/1.0.3/",
                only=("ptbxl_database.csv", "scp_statements.csv", "records100/", "LICENSE.txt"),
            ),
        ),
    ),
)


def data_set(name: str) -> DataSet:
    """The set of that name.

    Raises:
        DataError: No such set; the text lists the known ones.
    """
    for entry in DATA_SETS:
        if entry.name == name:
            return entry
    raise DataError(unknown_name("data set", name, [entry.name for entry in DATA_SETS]))


def recognise(path: Path) -> DataSet | None:
    """The set whose layout a folder has; None for a single file and for anything else."""
    if not path.is_dir():
        return None
    found = {file.name for file in _files(path, _DEPTH)}
    for entry in DATA_SETS:
        if any(_matches(found, mark) for mark in entry.marks):
            return entry
    return None


def file_faults(path: Path) -> tuple[int, list[str]]:
    """How many files there are, and a sentence for each that is empty or cannot be opened."""
    count, faults = 0, []
    for file in [path] if path.is_file() else _files(path, 16):
        count += 1
        try:
            with file.open("rb") as opened:
                if not opened.read(1):
                    faults.append(f"{file} is empty.")
        except OSError as error:
            faults.append(f"{file} cannot be read: {error.strerror}.")
    return count, faults


def _files(folder: Path, depth: int) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    yield from (entry for entry in entries if entry.is_file() and entry.name[0] != ".")
    if depth:
        for entry in entries:
            if entry.is_dir() and entry.name[0] != ".":
                yield from _files(entry, depth - 1)


def _matches(names: Iterable[str], pattern: str) -> bool:
    return any(fnmatch(name, pattern) for name in names)
