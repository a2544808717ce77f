from __future__ import annotations

from pathlib import Path

import pytest

from bim_explorer.core.errors import RunError
from bim_explorer.store.files import LineFile, cut_lines, read_lines, write_whole


def test_a_torn_last_line_is_dropped_on_reading(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"update": 1}\n{"update": 2}\n{"upd')
    assert read_lines(path) == [{"update": 1}, {"update": 2}]


def test_a_torn_last_line_is_cut_before_more_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"update": 1}\n{"upd')
    cut_lines(path)
    lines = LineFile(path)
    lines.append({"update": 2})
    lines.close()
    assert path.read_bytes() == b'{"update": 1}\n{"update": 2}\n'


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"update": 1}\n\0\0\0\n{"update": 3}\n')
    assert read_lines(path) == [{"update": 1}, {"update": 3}]


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "lines.jsonl") == []


def test_a_line_is_on_the_disk_once_it_is_appended(tmp_path: Path) -> None:
    lines = LineFile(tmp_path / "lines.jsonl")
    lines.append({"update": 1})
    assert read_lines(lines.path) == [{"update": 1}]
    lines.close()


def test_lines_that_a_full_disk_refused_come_later_without_a_hole(
    tmp_path: Path, small_disk
) -> None:
    lines = LineFile(tmp_path / "lines.jsonl")
    lines.append({"update": 1})
    with small_disk(20):
        for update in (2, 3):
            with pytest.raises(RunError, match=r"cannot be written: .* held before is safe"):
                lines.append({"update": update})
            assert lines.path.read_bytes() == b'{"update": 1}\n'
    lines.append({"update": 4})
    lines.close()
    assert [row["update"] for row in read_lines(lines.path)] == [1, 2, 3, 4]


def test_a_half_written_file_never_takes_the_place_of_a_whole_one(
    tmp_path: Path, small_disk
) -> None:
    path = tmp_path / "last.safetensors"
    write_whole(path, b"old")
    with small_disk(10), pytest.raises(RunError, match="cannot be written"):
        write_whole(path, b"x" * 1000)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
