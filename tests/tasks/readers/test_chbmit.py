from __future__ import annotations

import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.chbmit import (
    MONTAGE,
    electrode_pairs,
    patient_of,
    read_seizures,
    read_summary,
    recordings,
    tidy,
    write_seizures,
)

SUMMARY = """Data Sampling Rate: 256 Hz
*************************

Channels in EDF Files:
**********************
Channel 1: FP1-F7
Channel 2: -
Channel 3: .
Channel 4: T8-P8

File Name: chb02_16+.edf
File Start Time: 23:44:29
File End Time: 24:44:29
Number of Seizures in File: 2
Seizure 1 Start Time: 10 seconds
Seizure 1 End Time:   20 seconds
Seizure 2 Start Time:  1665 seconds
Seizure 2 End Time:  1700 seconds

Channels changed:
*****************
Channel 1: F7-T7
Channel 9: 01

File Name: chb17a_03.edf
File Start Time: 25:44:29
File End Time: 2:44:29
Number of Seizures in File: 1
Seizure Start Time: 7 seconds
Seizure End Time: 9 seconds

File Name: chb24_01.edf
Number of Seizures in File: 0
"""


@pytest.fixture
def summary(tmp_path):
    def write(text: str):
        path = tmp_path / "chb02-summary.txt"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_quirks_of_a_summary(summary, newline):
    first, second, third = read_summary(summary(SUMMARY.replace("\n", newline)))
    assert (first.name, first.start_s, first.length_s) == ("chb02_16+.edf", 85469, 3600)
    assert first.seizures == ((10.0, 20.0), (1665.0, 1700.0))
    assert first.channels == ("FP1-F7", "", "", "T8-P8")
    assert (second.start_s, second.length_s) == (6269, 3600)
    assert (second.seizures, second.channels) == (((7.0, 9.0),), ("F7-T7", "O1"))
    assert (third.name, third.start_s, third.length_s) == ("chb24_01.edf", None, None)
    assert (third.seizures, third.channels) == ((), ("F7-T7", "O1"))


def test_summaries_that_contradict_themselves_are_refused(summary):
    with pytest.raises(DataError, match=r"announces 2 seizures of chb02_16\+\.edf but lists 1"):
        read_summary(summary(SUMMARY.replace("Seizure 2", "Attack 2")))
    with pytest.raises(DataError, match=r"a seizure of chb24_01\.edf has no end behind its begin"):
        read_summary(summary(SUMMARY + "Seizure Start Time: 5 seconds\n"))
    with pytest.raises(DataError, match="lists no recording"):
        read_summary(summary("Data Sampling Rate: 256 Hz\n"))


def test_seizure_files_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "a.edf.seizures"
    for spans in ((), ((10.0, 20.0),), ((3.0, 4.0), (2996.0, 3036.0))):
        write_seizures(path, spans, 256)
        assert read_seizures(path) == spans


def test_a_seizure_file_cut_short_is_a_fault(tmp_path):
    path = tmp_path / "a.edf.seizures"
    write_seizures(path, [(10.0, 20.0)], 256)
    whole = path.read_bytes()
    for length in (3, 20, 40, len(whole) - 2):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"a\.edf\.seizures ends without an end mark"):
            read_seizures(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.edf\.seizures is empty"):
        read_seizures(path)


def test_one_person_is_one_patient():
    assert patient_of("chb17a_03.edf") == "chb17"
    assert patient_of("chb02_16+.edf") == "chb02"
    assert patient_of("chb21_19.edf") == patient_of("chb01_03.edf") == "chb01"


def test_differences_are_formed_of_what_there_is():
    assert tidy("FP1-CS2") == "FP1"
    assert tidy("01") == "O1"
    assert tidy("--") == tidy("-") == tidy(" . ") == ""
    pairs = electrode_pairs(("-", "T8-P8", "F7-CS2", "fp1-F7", "T7-Ref", "T8-P8", "ECG"))
    assert pairs == {"T8-P8": (1, None), "FP1-F7": (3, None), "F7-T7": (2, 4)}


def test_a_recordings_own_seizure_file_counts(tmp_path):
    case = tmp_path / "chb02"
    case.mkdir()
    names = ("chb02_16+.edf", "chb17a_03.edf", "chb24_02.edf", "chb24_05.edf")
    for name in names:
        (case / name).write_bytes(b"")
    (case / "chb02-summary.txt").write_text(SUMMARY)
    write_seizures(case / "chb17a_03.edf.seizures", [(1.0, 2.0)], 256)
    write_seizures(case / "chb24_05.edf.seizures", [(3.0, 4.0)], 256)
    found = {recording.path.name: recording for recording in recordings(tmp_path)}
    assert tuple(found) == names
    assert len(found["chb02_16+.edf"].seizures) == 2
    assert found["chb17a_03.edf"].seizures == ((1.0, 2.0),)
    assert "disagree" in found["chb17a_03.edf"].remark
    assert (found["chb24_02.edf"].seizures, found["chb24_02.edf"].remark) == ((), "")
    assert found["chb24_05.edf"].seizures == ((3.0, 4.0),)


def test_a_folder_of_something_else_is_said(tmp_path):
    with pytest.raises(
        DataError, match=r"holds no chbNN_MM\.edf: give a folder in CHB-MIT's layout"
    ):
        recordings(tmp_path)


@pytest.mark.data
def test_all_real_summaries(data_folder):
    folder = data_folder / "chbmit_real_annotations"
    listed = {
        item.name: item
        for path in sorted(folder.glob("*summary.txt"))
        for item in read_summary(path)
    }
    assert len(listed) == 676
    assert sum(len(item.seizures) for item in listed.values()) == 198
    for item in listed.values():
        pairs = electrode_pairs(item.channels)
        assert set(pairs) == set(MONTAGE), item.name
        if item.name.startswith("chb24"):
            assert item.start_s is item.length_s is None
        else:
            assert item.length_s is not None
            assert 0 < item.length_s < 5 * 3600, item.name
        assert all(end <= (item.length_s or 9999) for _, end in item.seizures), item.name
    with_seizures = {name for name, item in listed.items() if item.seizures}
    told = (folder / "RECORDS-WITH-SEIZURES").read_text().split()
    assert with_seizures ^ {line.split("/")[-1] for line in told} == {
        "chb07_18.edf",
        "chb07_19.edf",
    }


@pytest.mark.data
def test_real_seizure_files_agree_with_the_summaries_but_two(data_folder):
    folder = data_folder / "chbmit_real_annotations"
    differ = set()
    for path in sorted(folder.glob("*.seizures")):
        listed = {item.name: item for item in read_summary(folder / f"{path.name[:5]}-summary.txt")}
        if read_seizures(path) != listed[path.name.removesuffix(".seizures")].seizures:
            differ.add(path.name)
    assert differ == {"chb02_17.edf.seizures", "chb02_18.edf.seizures"}
