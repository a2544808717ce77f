from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bim_explorer.tasks.vocabulary import MAX_KINDS, Vocabulary, count_characters, fingerprint


def test_counts_add_up_over_pieces():
    counts = count_characters(["aé", "a\U0001f40d"])
    assert counts[ord("a")] == 2
    assert counts[ord("é")] == counts[0x1F40D] == 1
    assert counts.sum() == 4


def test_rare_characters_are_unknown():
    vocabulary = Vocabulary.of(count_characters(["b" * 5 + "a" * 9 + "z" * 4]))
    assert vocabulary.characters == "ab"
    assert len(vocabulary) == 3
    np.testing.assert_array_equal(vocabulary.encode(["abz", "?b"]), [0, 1, 2, 2, 1])


def test_only_the_most_frequent_kinds_are_kept():
    kinds = [chr(0x4E00 + i) for i in range(MAX_KINDS + 10)]
    text = "".join(kind * (5 + i) for i, kind in enumerate(kinds))
    vocabulary = Vocabulary.of(count_characters([text]))
    assert vocabulary.characters == "".join(kinds[10:])
    assert vocabulary.encode([kinds[0] + kinds[-1]]).tolist() == [MAX_KINDS, MAX_KINDS - 1]


@given(st.text(alphabet="abcdeé…\n", max_size=60), st.integers(1, 9))
def test_encoding_piece_by_piece_is_encoding_at_once(text, size):
    vocabulary = Vocabulary("\nabcdé…")
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    symbols = vocabulary.encode(pieces)
    assert symbols.dtype == np.uint8
    np.testing.assert_array_equal(symbols, vocabulary.encode([text]))
    assert vocabulary.decode(symbols) == text.replace("e", "\N{REPLACEMENT CHARACTER}")


def test_fingerprint_sees_one_more_character():
    one, same, other = (fingerprint(count_characters(p)) for p in (["ab", "c"], ["abc"], ["abcc"]))
    assert one == same
    assert one != other
