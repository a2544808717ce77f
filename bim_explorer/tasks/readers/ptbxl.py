"""PTB-XL's layout: `ptbxl_database.csv`, `scp_statements.csv`, WFDB records, ten folds.

Every record has statements (SCP codes); a diagnostic one belongs to one of five superclasses, and
a record is labelled with all that its statements belong to, whatever their likelihood, as in the
publishers' benchmark. Records without any diagnostic statement have no label and are left out.
Folds keep each patient together: 1 to 8 train, 9 validation, 10 test.

Source: physionet.org/content/ptb-xl, Wagner et al. 2020, Strodthoff et al. 2021.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bim_explorer.core.errors import DataError
from bim_explorer.tasks.readers.wfdb import read_record

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
FOLDS = {"train": range(1, 9), "validation": range(9, 10), "test": range(10, 11)}
_DATABASE, _STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"


@dataclass(frozen=True, slots=True)
class EcgReference:
    """One record of the database.

    Attributes:
        path: The WFDB record at 100 Hz, without suffix.
        fold: 1 to 10.
        labels: 0 or 1 for each of SUPERCLASSES.
    """

    path: Path
    fold: int
    labels: tuple[int, ...]


def references(folder: Path) -> list[EcgReference]:
    """The labelled records of a folder in PTB-XL's layout, in the order of the database.

    Raises:
        DataError: A table is missing or unreadable, or there is no labelled record in it.
    """
    root = _root(folder)
    classes = _superclasses(root / _STATEMENTS)
    path = root / _DATABASE
    found = []
    for number, row in enumerate(_rows(path, "scp_codes", "strat_fold", "filename_lr"), start=2):
        try:
            codes = ast.literal_eval(row["scp_codes"])
            labels = tuple(int(any(classes.get(c) == name for c in codes)) for name in SUPERCLASSES)
            fold = int(float(row["strat_fold"]))
        except (ValueError, SyntaxError, TypeError) as error:
            raise DataError(f"{path}, line {number}: {error}; fetch it anew.") from error
        if any(labels):
            found.append(EcgReference(root / row["filename_lr"], fold, labels))
    if not found:
        raise DataError(f"{path} lists no record with a diagnostic superclass.")
    return found


def read_leads(path: Path) -> tuple[np.ndarray, float]:
    """The twelve leads of a record in millivolts, float32 (T, 12), and samples a second.

    A lead that the record lacks, and samples not measured, are 0.

    Raises:
        DataError: The record cannot be read, or has none of the twelve leads.
    """
    signal, header = read_record(path)
    column = {line.name.upper(): number for number, line in enumerate(header.signals)}
    if not column.keys() & set(LEADS):
        raise DataError(f"{path} has none of the leads {', '.join(LEADS)}.")
    leads = np.zeros((len(signal), len(LEADS)), np.float32)
    for number, lead in enumerate(LEADS):
        if lead in column:
            leads[:, number] = signal[:, column[lead]]
    return np.nan_to_num(leads), header.rate


def _root(folder: Path) -> Path:
    """The folder that holds the tables: this one, or one below it."""
    found = sorted(folder.glob(_DATABASE)) or sorted(folder.glob(f"*/{_DATABASE}"))
    if not found:
        raise DataError(
            f"{folder} holds no {_DATABASE}: give a folder in PTB-XL's layout "
            f"({_DATABASE}, {_STATEMENTS}, records100/)."
        )
    return found[0].parent


def _superclasses(path: Path) -> Mapping[str, str]:
    """Superclass of every diagnostic statement."""
    rows = _rows(path, "", "diagnostic", "diagnostic_class")
    return {
        row[""]: row["diagnostic_class"]
        for row in rows
        if row["diagnostic"] and float(row["diagnostic"]) == 1
    }


def _rows(path: Path, *columns: str) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no CSV table ({error}); fetch it anew.") from error
    missing = [
        column or "(statement)" for column in columns if column not in (reader.fieldnames or ())
    ]
    if missing:
        raise DataError(f"{path} lacks the column {', '.join(missing)}; fetch it anew.")
    return [row for row in rows if None not in (row[column] for column in columns)]
