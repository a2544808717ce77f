"""Download of data sets: what was fetched before a break is kept, what is wrong is not.

FILE.part ── the rest by a range request ──▶ whole ── checksum ──▶ FILE, archives unpacked
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import requests

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.catalogue import Address, DataSet

MANIFEST = "SHA256SUMS.txt"
#: Told the file at hand, its bytes so far, and how many there will be, if that is known.
Progress = Callable[[str, int, int | None], None]
_BLOCK = 1 << 18
_TIMEOUT_S = 30


def fetch(data_set: DataSet, folder: Path, progress: Progress | None = None) -> int:
    """Fetch a set into a folder; files that are there already are left alone.

    Returns:
        Files and archives fetched.

    Raises:
        DataError: The set has no address, the network or the disk fails, or a checksum differs.
    """
    if not data_set.addresses:
        raise DataError(f"{data_set.name} has no address to fetch from: see {data_set.home}")
    tell = progress or (lambda name, done, total: None)
    return sum(_fetch(address, folder, tell) for address in data_set.addresses)


def download(url: str, target: Path, checksum: str, progress: Progress) -> None:
    """Fetch one file, going on behind what `target`.part holds.

    Args:
        url: Where it is.
        target: What it will be called.
        checksum: "md5:…" or "sha256:…"; empty: not checked.
        progress: Told how far it is.

    Raises:
        DataError: The network or the disk fails, or the checksum differs.
    """
    part = target.with_name(target.name + ".part")
    with _faults(url, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _transfer(url, part, lambda done, total: progress(target.name, done, total))
        wanted = checksum.partition(":")[2]
        if wanted and _digest(part, checksum) != wanted:
            part.unlink()
            raise DataError(f"{url} is not what was published: its checksum differs; fetch again.")
        part.replace(target)


def _fetch(address: Address, folder: Path, progress: Progress) -> int:
    if address.url.endswith("/"):
        return _fetch_folder(address, folder, progress)
    target = folder / PurePosixPath(urlsplit(address.url).path).name
    done = folder / f".{target.name}.done"
    if done.exists() or target.exists():
        return 0
    download(address.url, target, address.checksum, progress)
    if _unpacked(target, folder):
        target.unlink()
        done.touch()
    return 1


def _fetch_folder(address: Address, folder: Path, progress: Progress) -> int:
    manifest = folder / MANIFEST
    if not manifest.exists():
        download(urljoin(address.url, MANIFEST), manifest, "", progress)
    fetched = 0
    for line in manifest.read_text("utf-8").splitlines():
        digest, _, name = line.strip().partition(" ")
        name = name.strip().lstrip("*")
        target = folder / name
        wanted = not address.only or name.startswith(address.only)
        if not wanted or target.exists():
            continue
        if folder.resolve() not in target.resolve().parents:
            raise DataError(f"{manifest} names {name}, which lies outside the folder.")
        download(urljoin(address.url, name), target, f"sha256:{digest}", progress)
        fetched += 1
    return fetched


def _transfer(url: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    # compressed bytes would neither count nor resume
    headers["Accept-Encoding"] = "identity"
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return
        answer.raise_for_status()
        resumed = answer.status_code == requests.codes.partial_content
        done = done if resumed else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        with part.open("ab" if resumed else "wb") as file:
            for block in answer.iter_content(_BLOCK):
                file.write(block)
                done += len(block)
                progress(done, total)
        if total is not None and done < total:
            raise requests.ConnectionError("the connection broke")


def _unpacked(archive: Path, folder: Path) -> bool:
    """Unpack zip and tar archives; False for any other file."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
            return True
        if tarfile.is_tarfile(archive):
            with tarfile.open(archive) as opened:
                opened.extractall(folder, filter="data")
            return True
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise DataError(
            f"{archive} cannot be unpacked: {error}; remove it, fetch again."
        ) from error
    return False


def _digest(path: Path, checksum: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, checksum.partition(":")[0]).hexdigest()


@contextmanager
def _faults(url: str, target: Path) -> Iterator[None]:
    try:
        yield
    except requests.HTTPError as error:
        raise DataError(f"{url} cannot be fetched: {error}.") from error
    except requests.RequestException as error:
        raise DataError(
            f"{urlsplit(url).netloc} cannot be reached ({type(error).__name__}): check the "
            "network and fetch again, what has come is kept."
        ) from error
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror}.") from error
