from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from chunks import assert_same, joined
from hypothesis import given
from hypothesis import strategies as st

from bim_explorer.config import Config
from bim_explorer.tasks import build_task, word_vocabulary
from bim_explorer.tasks.corpus import open_source
from bim_explorer.tasks.word_vocabulary import WordVocabulary, count_words, words_of
from bim_explorer.tasks.words import Words

TRAIN = ["the", "cat", "sat", "<unk>", "<eos>", "the", "dog", "sat", "<eos>"]
COUNTS = {"the": 8, "<unk>": 4, "dog": 2, "cat": 2, "a": 1}


@pytest.fixture
def toy(tmp_path):
    texts = {"train": "the cat sat <unk>\nthe dog sat\n" * 9, "valid": "the cow sat\n" * 9}
    for stem, text in {**texts, "test": "a dog sat\n" * 9}.items():
        (tmp_path / f"wiki.{stem}.tokens").write_text(text, encoding="utf-8")
    return str(tmp_path)


def word_values(**changes):
    return Config(**{"task": "words", "batch": 2, "vocabulary": 3, **changes}).values()


def read(pieces) -> list[str]:
    return [word for words in words_of(pieces) for word in words]


def test_words_end_at_white_space_and_lines_are_words():
    pieces = ["a b\nc", "d  e\n", "\nf"]
    assert read(pieces) == ["a", "b", "<eos>", "cd", "e", "<eos>", "<eos>", "f"]


@given(st.text(alphabet="ab\n é", max_size=60), st.integers(1, 9))
def test_no_word_is_torn_between_pieces(text, size):
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert read(pieces) == read([text])


def test_a_text_without_white_space_is_cut():
    assert max(map(len, read(["x" * 3000] * 9))) <= 9000


def test_counting_forgets_the_rarest_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(word_vocabulary, "MAX_WORDS", 3)
    assert count_words(["a a a b b ", "c d c a e "]) == Counter({"a": 4, "b": 2, "c": 2})


def test_frequent_words_have_classes_and_rare_ones_share_them_by_count():
    vocabulary = WordVocabulary.of(COUNTS, kept=2)
    assert vocabulary.words == ["the", "<unk>", "cat", "dog", "a"]
    assert vocabulary.classes.tolist() == [0, 1, 2, 2, 3, 3]
    assert len(vocabulary) == 4
    assert vocabulary.encode(["dog the\n", "cow a"]).tolist() == [3, 0, 5, 5, 4]


def test_every_word_keeps_a_probability_of_its_own():
    vocabulary = WordVocabulary.of(COUNTS, kept=1)
    share = np.exp(vocabulary.log_share()[vocabulary.classes] - vocabulary.surcharge)
    np.testing.assert_allclose(share, np.array([8, 4, 2, 2, 1, 1]) / 18, rtol=1e-6)


def test_the_unknown_word_is_as_frequent_as_all_words_that_are_there_once():
    vocabulary = WordVocabulary.of({"the": 5, "one": 1, "two": 1, "three": 1}, kept=1)
    share = np.exp(vocabulary.log_share()[vocabulary.classes] - vocabulary.surcharge)
    np.testing.assert_allclose(share, np.array([5, 1, 1, 1, 3]) / 11, rtol=1e-6)


@pytest.mark.parametrize("kept", [1, 3, 99])
def test_a_network_that_knows_frequencies_alone_has_the_unigrams_perplexity(toy, kept):
    task = Words(word_values(data=toy, vocabulary=kept))
    chunk = joined(task.held_out("validation", 7))
    counts = Counter(TRAIN * 9)
    total = sum(counts.values()) + 1  # no word is there once: the unknown one counts as one
    words = (["the", "cow", "sat", "<eos>"] * 9)[1 : 1 + chunk.target.size]
    expected = sum(-math.log(max(counts[word], 1) / total) for word in words)
    nats = (chunk.surcharge - task.prior[chunk.target]).sum()
    assert nats == pytest.approx(expected, rel=1e-5)


def test_streams_ask_for_the_next_word(toy):
    task = Words(word_values(data=toy, vocabulary=9))
    chunk = task.chunk(4)
    words = [task.vocabulary.words[number] for number in chunk.target[0]]
    assert words == ["cat", "sat", "<unk>", "<eos>"]
    assert chunk.surcharge.dtype == np.float32


def test_the_word_before_is_in_view_by_its_class(toy):
    task = Words(word_values(data=toy, code_context=2))
    now, before = np.split(task.chunk(6).spikes, 2, axis=-1)
    assert not before[:, 0].any()
    np.testing.assert_array_equal(before[:, 1:], now[:, :-1])


def test_state_brings_the_vocabulary_and_goes_on_exactly(toy, tmp_path):
    task = Words(word_values(data=toy))
    task.chunk(11)
    state = json.loads(json.dumps(task.state()))
    assert_same(build_task(word_values(data=toy), state).chunk(9), task.chunk(9))
    other = tmp_path / "other.txt"
    other.write_text("one two cat\n" * 99, encoding="utf-8")
    elsewhere = build_task(word_values(data=str(other)), state)
    assert elsewhere.vocabulary.words == task.vocabulary.words
    assert elsewhere.chunk(2).target[0, 0] == task.vocabulary.classes[-1]


@pytest.mark.data
def test_wikitext_has_the_unigram_perplexity_of_its_words(data_folder):
    """Unigram over the same words and the unknown one, its share by Good and Turing."""
    path = str(data_folder / "wikitext2" / "wikitext-2")
    task = Words(word_values(data=path, vocabulary=2000, batch=1))
    assert sum(map(len, words_of(open_source(path).parts["test"]))) == 123_450
    nats = n = 0
    for chunk in task.held_out("test", 5000):
        nats += float((chunk.surcharge - task.prior[chunk.target]).sum())
        n += chunk.target.size
    assert math.exp(nats / n) == pytest.approx(575, rel=0.01)
