from __future__ import annotations

import numpy as np
import pytest

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.ptbxl import LEADS, SUPERCLASSES, read_leads, references
from bim_explorer.tasks.readers.wfdb import write_record
from bim_explorer.tasks.synthetic.hearts import write_set


@pytest.fixture
def folder(tmp_path):
    write_set(tmp_path / "ptb-xl", seed=0, per_fold=2)
    return tmp_path


def test_a_folder_or_the_one_around_it(folder):
    assert references(folder) == references(folder / "ptb-xl")
    assert sorted({reference.fold for reference in references(folder)}) == list(range(1, 11))


def test_a_record_has_the_superclasses_of_all_its_diagnostic_statements(tmp_path):
    (tmp_path / "scp_statements.csv").write_text(
        ",diagnostic,diagnostic_class\nNORM,1.0,NORM\nIMI,1.0,MI\nLVH,1.0,HYP\nSR,,\n"
    )
    (tmp_path / "ptbxl_database.csv").write_text(
        "ecg_id,scp_codes,strat_fold,filename_lr\n"
        "1,\"{'IMI': 15.0, 'LVH': 0.0, 'SR': 0.0}\",9,a\n"
        "2,{'SR': 100.0},1,b\n"
        "3,{'NORM': 80.0},10.0,c\n"
    )
    found = references(tmp_path)
    assert [(r.path.name, r.fold, r.labels) for r in found] == [
        ("a", 9, (0, 1, 0, 0, 1)),
        ("c", 10, (1, 0, 0, 0, 0)),
    ]


def test_leads_come_in_their_order_and_missing_ones_are_silent(tmp_path):
    signal = np.random.default_rng(0).normal(size=(20, 3))
    write_record(tmp_path / "r", signal, 100.0, ["v6", "aVR", "II"])
    leads, rate = read_leads(tmp_path / "r")
    assert (leads.shape, rate) == ((20, 12), 100.0)
    for column, lead in enumerate(("V6", "AVR", "II")):
        np.testing.assert_allclose(leads[:, LEADS.index(lead)], signal[:, column], atol=6e-4)
    assert not leads[:, LEADS.index("V1")].any()
    write_record(tmp_path / "x", signal, 100.0, ["x", "y", "z"])
    with pytest.raises(DataError, match="has none of the leads I, II"):
        read_leads(tmp_path / "x")


def test_faults_of_the_tables_are_one_sentence(folder):
    database = folder / "ptb-xl" / "ptbxl_database.csv"
    whole = database.read_text()
    database.write_text(whole.replace("strat_fold", "fold"))
    with pytest.raises(DataError, match=r"ptbxl_database\.csv lacks the column strat_fold"):
        references(folder)
    database.write_text(whole.replace("{'", "{", 1))
    with pytest.raises(DataError, match=r"ptbxl_database\.csv, line \d+: .*; fetch it anew"):
        references(folder)
    database.write_text(whole.splitlines()[0])
    with pytest.raises(DataError, match="lists no record with a diagnostic superclass"):
        references(folder)
    database.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"ptbxl_database\.csv is no CSV table"):
        references(folder)
    database.write_text(whole)
    (folder / "ptb-xl" / "scp_statements.csv").unlink()
    with pytest.raises(DataError, match=r"scp_statements\.csv cannot be read"):
        references(folder)
    database.unlink()
    with pytest.raises(DataError, match=r"holds no ptbxl_database\.csv: give a folder in PTB-XL's"):
        references(folder)


@pytest.mark.data
def test_the_real_excerpt(data_folder):
    found = references(data_folder / "ptbxl_500")
    assert len(found) == 424
    assert {reference.fold for reference in found} == set(range(1, 10))
    counts = dict(zip(SUPERCLASSES, np.sum([r.labels for r in found], axis=0), strict=True))
    assert counts == {"NORM": 261, "MI": 65, "STTC": 80, "CD": 67, "HYP": 33}
    for reference in found:
        leads, rate = read_leads(reference.path)
        assert (leads.shape, rate) == ((1000, 12), 100.0)
