"""Every file and function of the package can be read in one sitting, and says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _sources() -> list[Path]:
    return sorted((ROOT / "bim_explorer").rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _lines_without_docstring(function: Function) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def test_the_docstring_does_not_count():
    source = 'def f(x):\n    """One.\n\n    Two.\n    """\n    return x\n'
    (function,) = _functions(ast.parse(source))
    assert _lines_without_docstring(function) == 2


@pytest.mark.parametrize("path", _sources(), ids=_name)
class TestModule:
    def test_has_a_docstring(self, path):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), (
            f"{_name(path)} must open with a docstring: what it is, its equations, its symbols"
        )

    def test_is_short(self, path):
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= MAX_FILE_LINES, (
            f"{_name(path)} must have ≤ {MAX_FILE_LINES} lines, has {lines}: split it by idea"
        )

    def test_has_short_functions(self, path):
        functions = _functions(ast.parse(path.read_text("utf-8")))
        sizes = {f"{f.name}:{f.lineno}": _lines_without_docstring(f) for f in functions}
        long = {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES}
        assert not long, f"{_name(path)}: functions must have ≤ {MAX_FUNCTION_LINES} lines: {long}"


@pytest.mark.parametrize("path", sorted((ROOT / "apps").glob("*.py")), ids=_name)
def test_app_only_parses_builds_and_serves(path):
    assert len(path.read_text("utf-8").splitlines()) < 80
