from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bim_explorer.core.errors import DataError
from bim_explorer.tasks import corpus
from bim_explorer.tasks.corpus import PARTS, FilePart, open_source


def read(data) -> dict[str, str]:
    return {part: "".join(pieces) for part, pieces in open_source(str(data)).parts.items()}


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes, name: str = "text.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_a_file_is_split_at_its_lines(written):
    lines = [f"line {i:03}\n" for i in range(100)]
    parts = read(written("".join(lines)))
    assert parts == {
        "train": "".join(lines[:80]),
        "validation": "".join(lines[80:90]),
        "test": "".join(lines[90:]),
    }


def test_a_border_inside_a_line_moves_to_its_end(written):
    parts = read(written("a" * 79 + "bbb\n" + "c" * 7 + "dddd\n" + "e" * 5))
    assert parts == {"train": "a" * 79 + "bbb\n", "validation": "c" * 7 + "dddd\n", "test": "e" * 5}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="aé…\U0001f40d\n", min_size=1, max_size=80), st.integers(1, 12))
def test_no_character_is_lost_or_torn(written, monkeypatch, text, block):
    monkeypatch.setattr(corpus, "_BLOCK", block)
    monkeypatch.setattr(corpus, "_LONGEST_LINE", 6)
    parts = read(written(text))
    assert list(parts) == list(PARTS)
    assert "".join(parts.values()) == text


@pytest.mark.parametrize("place", ["", "wikitext-2/"])
@pytest.mark.parametrize("suffix", ["tokens", "raw"])
def test_a_folder_in_wikitexts_layout(written, tmp_path, place, suffix):
    for stem in ("train", "valid", "test"):
        written(f" = {stem} = \n", f"{place}wiki.{stem}.{suffix}")
    assert read(tmp_path) == {
        "train": " = train = \n",
        "validation": " = valid = \n",
        "test": " = test = \n",
    }


def test_an_empty_setting_is_the_embedded_manual():
    assert "Python" in open_source("").name
    assert "statement" in "".join(open_source("").parts["train"])


def test_faults_of_paths_are_one_sentence(written, tmp_path):
    with pytest.raises(DataError, match=r"gone\.txt does not exist: data wants"):
        open_source(str(tmp_path / "gone.txt"))
    with pytest.raises(DataError, match=r"text\.txt is empty\."):
        open_source(str(written("")))
    with pytest.raises(DataError, match=r"holds no wiki\.train\.tokens.*give a folder"):
        open_source(str(tmp_path))
    with pytest.raises(DataError, match="/dev/null is neither a file nor a folder"):
        open_source("/dev/null")


def test_an_incomplete_wikitext_folder_names_what_it_lacks(written, tmp_path):
    written("x", "wiki.train.tokens")
    with pytest.raises(DataError, match=r"lacks wiki\.valid\.tokens and wiki\.test\.tokens"):
        open_source(str(tmp_path))
    written("", "wiki.valid.tokens")
    written("x", "wiki.test.tokens")
    with pytest.raises(DataError, match=r"wiki\.valid\.tokens is empty"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_a_byte_that_is_no_utf8_is_named_with_its_offset(written, monkeypatch, block):
    monkeypatch.setattr(corpus, "_BLOCK", block)
    path = written("é" * 7 + "\n" + "ab", "latin.txt")
    path.write_bytes(path.read_bytes() + b"\xe9 and more\n" * 9)
    with pytest.raises(DataError, match=r"latin\.txt is not UTF-8 text: byte 0xe9 at offset 17 "):
        read(path)


def test_a_character_torn_at_the_files_end_is_a_fault(written):
    with pytest.raises(DataError, match=r"byte 0xc3 at offset 40 "):
        read(written(b"abcdefghi\n" * 4 + b"\xc3"))


def test_a_file_that_shrinks_while_it_is_read_is_said(written):
    path = written("abc")
    with pytest.raises(DataError, match="became shorter"):
        list(FilePart(path, 0, 9))


def test_a_file_without_leave_to_read_is_said(written, monkeypatch):
    path = written("abc")
    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(DataError, match=r"text\.txt cannot be read: Permission denied\."):
        open_source(str(path))


def refuse(*_args):
    raise PermissionError(13, "Permission denied")
