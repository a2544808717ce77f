from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace

import pytest
from downloads import served

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.catalogue import Address, data_set
from bim_explorer.tasks.fetching import MANIFEST, fetch

CONTENT = bytes(range(256)) * 4096


def one(url: str, content: bytes = b"", **changes):
    """A data set of a single address."""
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}" if content else ""
    return replace(data_set("fsdd"), addresses=(Address(url, checksum, **changes),))


def zipped(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return memory.getvalue()


def test_a_file_is_fetched_once_with_progress(tmp_path):
    told = []
    with served({"/a.txt": CONTENT}) as shelf:
        wanted = one(f"{shelf.url}/a.txt", CONTENT)
        assert fetch(wanted, tmp_path / "new", lambda *word: told.append(word)) == 1
        assert fetch(wanted, tmp_path / "new") == 0
        assert shelf.asked == [("/a.txt", None)]
    assert (tmp_path / "new" / "a.txt").read_bytes() == CONTENT
    assert told[-1] == ("a.txt", len(CONTENT), len(CONTENT))


def test_a_broken_download_goes_on_where_it_was(tmp_path):
    with served({"/a.txt": CONTENT}) as shelf:
        wanted = one(f"{shelf.url}/a.txt", CONTENT)
        shelf.breaks_at = 700_000
        with pytest.raises(DataError, match="fetch again, what has come is kept"):
            fetch(wanted, tmp_path)
        kept = (tmp_path / "a.txt.part").stat().st_size
        assert 0 < kept <= 700_000
        shelf.breaks_at = None
        fetch(wanted, tmp_path)
        assert shelf.asked[-1] == ("/a.txt", f"bytes={kept}-")
    assert (tmp_path / "a.txt").read_bytes() == CONTENT
    assert not (tmp_path / "a.txt.part").exists()


@pytest.mark.parametrize("had", [100, len(CONTENT)])
def test_a_server_that_cannot_resume_is_asked_for_all_of_it(tmp_path, had):
    (tmp_path / "a.txt.part").write_bytes(CONTENT[:had])
    with served({"/a.txt": CONTENT}) as shelf:
        shelf.resumes = False
        fetch(one(f"{shelf.url}/a.txt", CONTENT), tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == CONTENT


def test_a_download_that_had_come_whole_is_only_checked(tmp_path):
    (tmp_path / "a.txt.part").write_bytes(CONTENT)
    with served({"/a.txt": CONTENT}) as shelf:
        fetch(one(f"{shelf.url}/a.txt", CONTENT), tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == CONTENT


def test_another_checksum_is_refused_and_nothing_kept(tmp_path):
    refused = pytest.raises(DataError, match=r"a\.txt is not what was published.*fetch again")
    with served({"/a.txt": CONTENT[1:]}) as shelf, refused:
        fetch(one(f"{shelf.url}/a.txt", CONTENT), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", tarred)])
def test_archives_are_unpacked_once(tmp_path, name, pack):
    content = pack({"set/1.txt": b"one", "set/2.txt": b"two"})
    with served({f"/{name}": content}) as shelf:
        wanted = one(f"{shelf.url}/{name}", content)
        assert (fetch(wanted, tmp_path), fetch(wanted, tmp_path)) == (1, 0)
    assert (tmp_path / "set" / "2.txt").read_text() == "two"
    assert not (tmp_path / name).exists()


def test_an_archive_may_not_leave_its_folder(tmp_path):
    content = tarred({"../escaped.txt": b"no"})
    refused = pytest.raises(DataError, match="cannot be unpacked")
    with served({"/a.tar.gz": content}) as shelf, refused:
        fetch(one(f"{shelf.url}/a.tar.gz"), tmp_path / "in")
    assert not (tmp_path / "escaped.txt").exists()


def manifest(files: dict[str, bytes]) -> bytes:
    lines = (f"{hashlib.sha256(content).hexdigest()} {name}" for name, content in files.items())
    return "\n".join(lines).encode()


def test_a_folder_is_fetched_by_its_checksums(tmp_path):
    files = {"x.csv": b"x", "records100/1.dat": b"1", "records500/1.dat": b"5"}
    with served({f"/s/{name}": content for name, content in files.items()}) as shelf:
        shelf.files[f"/s/{MANIFEST}"] = manifest(files)
        wanted = one(f"{shelf.url}/s/", only=("x.csv", "records100/"))
        assert (fetch(wanted, tmp_path), fetch(wanted, tmp_path)) == (2, 0)
        assert (tmp_path / "records100" / "1.dat").read_bytes() == b"1"
        assert not (tmp_path / "records500").exists()
        shelf.files["/s/x.csv"] = b"y"
        (tmp_path / "x.csv").unlink()
        with pytest.raises(DataError, match=r"x\.csv is not what was published"):
            fetch(wanted, tmp_path)


def test_a_folder_may_not_name_files_outside(tmp_path):
    refused = pytest.raises(DataError, match="lies outside the folder")
    with served({f"/s/{MANIFEST}": manifest({"../evil": b"x"})}) as shelf, refused:
        fetch(one(f"{shelf.url}/s/"), tmp_path / "in")


def test_what_cannot_be_fetched_is_one_sentence(tmp_path):
    with served({}) as shelf, pytest.raises(DataError, match="cannot be fetched: 404"):
        fetch(one(f"{shelf.url}/gone.txt"), tmp_path)
    with pytest.raises(DataError, match="cannot be reached"):
        fetch(one(f"{shelf.url}/gone.txt"), tmp_path)
    with pytest.raises(DataError, match="has no address to fetch from: see https://"):
        fetch(replace(data_set("fsdd"), addresses=()), tmp_path)
