"""Notebooks are kept without outputs: they are made by running them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_are_stripped(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    kept = [n for n, cell in enumerate(cells) if cell.get("outputs") or cell.get("execution_count")]
    assert not kept, (
        f"{path.name}, cells {kept}: `jupyter nbconvert --clear-output --inplace` removes outputs"
    )
