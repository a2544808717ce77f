from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.wfdb import (
    read_annotations,
    read_header,
    read_record,
    write_record,
)

LEADS = ["I", "II", "V1"]


@pytest.fixture
def record(tmp_path) -> Path:
    signal = np.random.default_rng(0).normal(0, 0.5, (50, 3))
    write_record(tmp_path / "r1", signal, 100.0, LEADS)
    return tmp_path / "r1"


def agree(path: Path) -> None:
    ours, header = read_record(path)
    theirs = wfdb.rdrecord(str(path))
    np.testing.assert_allclose(ours, theirs.p_signal, rtol=1e-6, atol=1e-6)
    assert header.rate == theirs.fs
    assert [signal.name for signal in header.signals] == theirs.sig_name
    assert [signal.units for signal in header.signals] == theirs.units


def test_what_is_written_is_read_again_and_by_wfdb_alike(record):
    signal, header = read_record(record)
    assert (header.rate, header.n_samples, signal.shape) == (100.0, 50, (50, 3))
    agree(record)


@pytest.mark.parametrize("length", [1, 2, 3, 64])
def test_format_212_is_read_as_wfdb_reads_it(tmp_path, length):
    stored = np.random.default_rng(1).integers(-2047, 2048, (length, 3))
    wfdb.wrsamp(
        "packed",
        fs=360,
        units=["mV"] * 3,
        sig_name=LEADS,
        d_signal=stored,
        fmt=["212"] * 3,
        adc_gain=[200.0, 100.0, 1000.0],
        baseline=[1024, 0, -5],
        write_dir=str(tmp_path),
    )
    agree(tmp_path / "packed")


def test_the_lowest_value_is_not_measured(tmp_path):
    (tmp_path / "r.hea").write_text("r 1 100 2\nr.dat 16 1000(0)/mV 16 0\n")
    (tmp_path / "r.dat").write_bytes(np.array([-32768, 500], "<i2").tobytes())
    np.testing.assert_allclose(read_record(tmp_path / "r")[0][:, 0], [np.nan, 0.5])


def test_what_a_header_leaves_out_has_the_formats_defaults(tmp_path):
    (tmp_path / "r.hea").write_text("# a comment\nr 1\n\nr.dat 16+4\n# age: 81\n")
    (tmp_path / "r.dat").write_bytes(b"head" + np.array([200, -100], "<i2").tobytes())
    signal, header = read_record(tmp_path / "r")
    assert (header.rate, header.signals[0].gain) == (250.0, 200.0)
    np.testing.assert_allclose(signal[:, 0], [1.0, -0.5])


def test_damage_is_one_sentence_naming_the_file(record):
    data = record.with_name("r1.dat")
    whole = data.read_bytes()
    data.write_bytes(whole[:100])
    with pytest.raises(DataError, match=r"r1\.dat is cut short: 16 of 50 samples"):
        read_record(record)
    data.write_bytes(whole[:60] + bytes([whole[60] ^ 7]) + whole[61:])
    with pytest.raises(
        DataError, match=r"r1\.dat is damaged: signal 'I' does not fit its checksum"
    ):
        read_record(record)
    data.write_bytes(b"")
    with pytest.raises(DataError, match=r"r1\.dat is empty"):
        read_record(record)
    data.unlink()
    with pytest.raises(DataError, match=r"r1\.dat cannot be read: No such file"):
        read_record(record)


@pytest.mark.parametrize(
    "header", ["", "r\n", "r 2 100 5\nr.dat 16\n", "r x 100\n", "r 1 0 5\nr.dat 16\n", "\x00\x01"]
)
def test_what_is_no_header_is_said(tmp_path, header):
    (tmp_path / "r.hea").write_text(header)
    with pytest.raises(DataError, match=r"r\.hea is (no WFDB header|empty)"):
        read_header(tmp_path / "r")


@pytest.mark.parametrize(("line", "fault"), [("80", "format 80"), ("16x4", "several samples")])
def test_formats_that_are_not_read_are_said(tmp_path, line, fault):
    (tmp_path / "r.hea").write_text(f"r 1 100 1\nr.dat {line}\n")
    (tmp_path / "r.dat").write_bytes(b"12")
    with pytest.raises(DataError, match=fault):
        read_record(tmp_path / "r")


def test_annotations_without_an_end_mark_are_a_fault(tmp_path):
    path = tmp_path / "a.atr"
    path.write_bytes(b"\x05\x04")
    with pytest.raises(DataError, match=r"a\.atr ends without an end mark"):
        read_annotations(path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["mitbih_100/100", "mitbih_100/s0010_re"])
def test_real_records_are_read_as_wfdb_reads_them(data_folder, name):
    agree(data_folder / name)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "extension"),
    [("mitbih_100/100", "atr"), ("chbmit_real_annotations/chb01_03.edf", "seizures")],
)
def test_real_annotations_are_read_as_wfdb_reads_them(data_folder, name, extension):
    ours = read_annotations(data_folder / f"{name}.{extension}")
    theirs = wfdb.rdann(str(data_folder / name), extension, return_label_elements=["label_store"])
    events = [event for event in ours if event.code and not event.text.startswith("##")]
    assert [event.sample for event in events] == list(theirs.sample)
    assert [event.code for event in events] == list(theirs.label_store)
