from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from chunks import assert_same, joined
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bim_explorer.core.errors import ConfigError, DataError
from bim_explorer.tasks import build_task
from bim_explorer.tasks.symbol_streams import Segments
from bim_explorer.tasks.text import Text, inspect_text

shared_values = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
chunk_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=8)
#: 80 lines of training over "abcdefgh…", then 10 of "VVVV…" and 10 of "TTTT…".
LINES = [*["abcdefghi\n", "jihgfedcb\n"] * 40, *["Vabcdefgh\n"] * 10, *["Tabcdefgh\n"] * 10]


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.txt"
    path.write_text("".join(LINES), encoding="utf-8")
    return str(path)


def inputs(task: Text, spikes: np.ndarray) -> list[str]:
    """Undo the population code, a string a stream."""
    table = task._code.table.astype(int)
    symbols = (spikes.astype(int) @ table.T == table.sum(1)).argmax(-1)
    return [task.vocabulary.decode(stream) for stream in symbols]


def test_segments_go_round_by_hand():
    segments = Segments(np.array([5, 6, 7, 8, 9], np.uint8), batch=2)
    symbols, following, keep = segments.read(1, 3)
    assert segments.length == 2
    np.testing.assert_array_equal(symbols, [[6, 5, 6], [8, 7, 8]])
    np.testing.assert_array_equal(following, [[7, 6, 7], [9, 8, 9]])
    np.testing.assert_array_equal(keep, [True, False, True])


def test_streams_read_their_segments_and_ask_for_the_next_character(toy, text_values):
    task = Text(text_values(data=toy))
    chunk = task.chunk(12)
    text = "".join(LINES[:80])
    half = (len(text) - 1) // 2
    assert inputs(task, chunk.spikes) == [text[:12], text[half : half + 12]]
    following = [task.vocabulary.decode(stream) for stream in chunk.target]
    assert following == [text[1:13], text[half + 1 : half + 13]]
    assert chunk.mask.all()
    np.testing.assert_array_equal(chunk.keep, [[False] + [True] * 11] * 2)


def test_a_stream_that_has_reached_its_end_starts_anew(toy, text_values):
    task = Text(text_values(data=toy))
    length = (800 - 1) // 2
    chunk = task.chunk(length + 5)
    np.testing.assert_array_equal(np.flatnonzero(~chunk.keep[1]), [0, length])
    np.testing.assert_array_equal(chunk.spikes[:, length:], chunk.spikes[:, :5])


def test_each_symbol_in_view_comes_on_its_own_axons_a_step_later(toy, text_values):
    task = Text(text_values(data=toy, code_context=3))
    assert task.d_in == 3 * text_values()["code_size"]
    length = (800 - 1) // 2
    now, before, two_before = np.split(task.chunk(length + 5).spikes, 3, axis=-1)
    for delayed, delay in ((before, 1), (two_before, 2)):
        for start in (0, length):
            assert not delayed[:, start : start + delay].any()
        np.testing.assert_array_equal(delayed[:, delay:length], now[:, : length - delay])
        np.testing.assert_array_equal(delayed[:, length + delay :], now[:, length:-delay])


def test_what_is_in_view_crosses_the_chunks_border(toy, text_values):
    task = Text(text_values(data=toy, code_context=2))
    now = np.split(task.chunk(4).spikes, 2, axis=-1)[0]
    before = np.split(task.chunk(4).spikes, 2, axis=-1)[1]
    np.testing.assert_array_equal(before[:, 0], now[:, -1])
    assert now[:, -1].any()


def test_symbols_in_view_are_lost_at_the_given_rate_in_training_alone(toy, text_values):
    values = text_values(data=toy, code_context=3, code_failure=0.25)
    task, whole = Text(values), Text(text_values(data=toy, code_context=3))
    lossy, full = (t.chunk(2000).spikes.reshape(2, 2000, 3, -1).any(-1) for t in (task, whole))
    assert not (lossy & ~full).any()
    lost = 1 - lossy.sum((0, 1)) / full.sum((0, 1))
    np.testing.assert_allclose(lost, 0.25, atol=0.03)
    first, second = np.split(lossy[:, : 2 * 399], 2, axis=1)
    assert (first != second).any(), "the same symbols are lost in every epoch"
    assert_same(joined(task.held_out("test", 9)), joined(whole.held_out("test", 9)))


def test_training_never_meets_held_out_text(toy, text_values):
    task = Text(text_values(data=toy))
    chunk = task.chunk(1000)
    assert not set("VT") & set("".join(inputs(task, chunk.spikes)))
    assert chunk.target.max() < task.vocabulary.unknown
    for split in ("validation", "test"):
        unknown = inputs(task, joined(task.held_out(split, 50)).spikes)[0][0]
        assert unknown == "\N{REPLACEMENT CHARACTER}"


@pytest.fixture
def twins(toy, text_values):
    """Two tasks alike: built once for all examples of a property."""
    values = text_values(data=toy, batch=7, code_context=3, code_failure=0.3)
    return Text(values), Text(values)


@shared_values
@given(sizes=chunk_sizes)
def test_chunks_joined_are_one_long_chunk(twins, sizes):
    short, long = twins
    assert_same(joined(short.chunk(n) for n in sizes), long.chunk(sum(sizes)))


@shared_values
@given(before=chunk_sizes, after=st.integers(1, 400))
def test_state_goes_on_exactly_from_any_step(twins, before, after):
    task, other = twins
    for n in before:
        task.chunk(n)
    other.load_state(json.loads(json.dumps(task.state())))
    assert_same(task.chunk(after), other.chunk(after))


def test_seed_moves_the_code_alone(toy, text_values):
    one, same, other = (Text(text_values(data=toy, seed=s)).chunk(30) for s in (1, 1, 2))
    assert_same(one, same)
    np.testing.assert_array_equal(one.target, other.target)
    assert (one.spikes != other.spikes).any()


@pytest.mark.parametrize("split", ["validation", "test"])
def test_held_out_is_the_same_at_every_call_and_chunk_size(toy, text_values, split):
    task = Text(text_values(data=toy, code_context=2))
    before = joined(task.held_out(split, 50))
    task.chunk(33)
    assert_same(joined(task.held_out(split, 7)), before)
    assert before.n_steps == (100 - 1) // 2
    np.testing.assert_array_equal(np.flatnonzero(~before.keep[0]), [0])
    assert before.keep.shape[0] == 2


def test_held_out_ends_at_its_limit(toy, text_values):
    chunks = list(Text(text_values(data=toy)).held_out("test", 8, limit=20))
    assert [chunk.n_steps for chunk in chunks] == [8, 8, 4]


def test_a_run_goes_on_with_its_own_characters(toy, text_values, tmp_path):
    state = Text(text_values(data=toy)).state()
    other = tmp_path / "other.txt"
    other.write_text("zyx\nabc\n" * 200, encoding="utf-8")
    task = build_task(text_values(data=str(other)), state)
    assert task.state()["characters"] == state["characters"]
    assert task.n_out == Text(text_values(data=toy)).n_out
    known = inputs(task, task.chunk(8).spikes)[0]
    assert known == "\N{REPLACEMENT CHARACTER}" * 3 + "\nabc\n"


def test_a_text_changed_behind_a_runs_back_is_noticed(toy, text_values):
    state = Text(text_values(data=toy)).state()
    Path(toy).write_text("b" + "".join(LINES)[1:], encoding="utf-8")
    with pytest.raises(DataError, match=r"toy\.txt is not the text that this run was trained on"):
        build_task(text_values(data=toy), state)


def test_what_cannot_be_set_or_read_is_refused(toy, text_values):
    task = Text(text_values(data=toy))
    with pytest.raises(ConfigError, match="text has no live parameter, got 'delay'"):
        task.set("delay", 3)
    with pytest.raises(DataError, match=r"unknown split 'train'.*Known: test, validation"):
        task.held_out("train", 8)
    with pytest.raises(
        DataError, match=r"the validation part of .*toy\.txt has 100 characters.*lower batch"
    ):
        Text(text_values(data=toy, batch=200))


def test_inspecting_counts_characters_by_part(toy):
    assert inspect_text(toy) == {
        "name": toy,
        "characters": {"train": 800, "validation": 100, "test": 100},
        "kinds": 11,
    }


def test_the_embedded_text_is_english(text_values):
    task = Text(text_values())
    text = inputs(task, task.chunk(2000).spikes)[0]
    assert text.count(" the ") > 5
    assert "Python" in task.provenance


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "characters"),
    [("wikitext2/wikitext-2", 900_000), ("wikitext2", 900_000), ("tinyshakespeare/input.txt", 8e5)],
)
def test_real_text_is_read(data_folder, text_values, name, characters):
    path = str(data_folder / name)
    if not Path(path).exists():
        pytest.skip(f"BIM_DATA holds no {name}")
    task = Text(text_values(data=path, batch=16))
    assert 50 < task.n_out <= 129
    assert task.chunk(200).target.max() < task.n_out
    assert inspect_text(path)["characters"]["train"] > characters
    text = "".join(inputs(task, joined(task.held_out("validation", 500, 500)).spikes))
    assert text.count(" the ") > 10
    assert text.count("\N{REPLACEMENT CHARACTER}") / len(text) < 0.01
