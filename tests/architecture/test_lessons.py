"""The lessons are numbered and whole: aim, equation, picture, a question with a hidden answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def _cells(path: Path, kind: str) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def test_they_are_numbered_without_a_gap():
    assert [path.name[:3] for path in LESSONS] == [f"{number:02}-" for number in range(10)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
class TestLesson:
    def test_opens_with_number_aim_and_equation(self, path):
        first = _cells(path, "markdown")[0]
        assert re.match(rf"# {path.name[:2]} · \w", first)
        assert "**Aim.**" in first
        assert "**Equation" in first
        assert "$$" in first

    def test_asks_a_question_and_hides_its_answer(self, path):
        text = "\n".join(_cells(path, "markdown"))
        assert "## Question" in text
        assert re.search(r"<details>\n<summary>Answer</summary>\n\n.+?\n\n</details>", text, re.S)

    def test_draws_with_the_packages_own_plots(self, path):
        code = "\n".join(_cells(path, "code"))
        assert "from bim_explorer.views" in code
        assert not re.search(r"import (matplotlib|ipywidgets|plotly)", code)
