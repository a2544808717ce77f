from __future__ import annotations

import edfio
import numpy as np
import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.edf import EdfFile


def written(path, rates=(64, 64), seconds=3):
    rng = np.random.default_rng(0)
    signals = [
        edfio.EdfSignal(
            rng.uniform(-100, 100, rate * seconds),
            rate,
            label=f"C{n}",
            physical_dimension="uV",
            physical_range=(-100, 100),
        )
        for n, rate in enumerate(rates)
    ]
    edfio.Edf(signals).write(path)
    return [signal.data for signal in signals]


def test_a_span_of_some_channels(tmp_path):
    data = written(tmp_path / "a.edf")
    file = EdfFile(tmp_path / "a.edf")
    assert (file.labels, file.rate, file.duration_s) == (("C0", "C1"), 64.0, 3.0)
    np.testing.assert_allclose(file.read([1], 1.0, 2.5)[:, 0], data[1][64:160], atol=1e-4)
    assert file.read([1, 0], 0.0, 3.0).shape == (192, 2)


def test_channels_of_other_rates_are_not_read_together(tmp_path):
    written(tmp_path / "a.edf", rates=(64, 32))
    file = EdfFile(tmp_path / "a.edf")
    with pytest.raises(DataError, match=r"a\.edf has channels of different rates"):
        file.read([0, 1], 0.0, 1.0)
    with pytest.raises(DataError, match=r"a\.edf cannot be read"):
        file.read([0], 2.0, 9.0)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (lambda whole: b"", "is empty"),
        (lambda whole: whole[:100], "is no EDF file"),
        (lambda whole: whole[:300], "is no EDF file"),
        (lambda whole: whole[:-200], "is cut short or damaged"),
        (lambda whole: whole[:900], "is cut short or damaged"),
        (lambda whole: b"x" * 5000, "is no EDF file"),
        (lambda whole: b"hello", "is no EDF file"),
        (lambda whole: bytes(4096), "is no EDF file"),
    ],
)
def test_faults_are_one_sentence_naming_the_file(tmp_path, content, fault):
    path = tmp_path / "a.edf"
    written(path)
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(DataError, match=rf"a\.edf {fault}") as error:
        EdfFile(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(DataError, match=r"a\.edf cannot be read: No such file or directory"):
        EdfFile(tmp_path / "a.edf")


@pytest.mark.data
def test_a_real_recording_with_annotations(data_folder):
    file = EdfFile(data_folder / "eegmmidb_S001R04" / "S001R04.edf")
    assert (len(file.labels), file.rate, file.duration_s) == (64, 160.0, 125.0)
    assert np.isfinite(file.read(range(64), 0.0, 125.0)).all()
