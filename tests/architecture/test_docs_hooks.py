"""The site shows every layer, and its texts link to pages or to nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """tools/docs_hooks.py, where what builds the site is installed."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("latex2mathml")
    spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "tools" / "docs_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_layer_has_its_page(hooks):
    there = {path.parent.name for path in (ROOT / "bim_explorer").glob("*/__init__.py")}
    assert there <= set(hooks.LAYERS)


def test_links_lead_to_pages_or_are_no_links(hooks):
    text = "[a](docs/how-to/x.md) [b](notebooks/README.md#top) [c](bim_explorer/cli) [d](https://x)"
    moved = hooks.with_links_of_the_site(text, "README.md", "index.md")
    assert moved == "[a](how-to/x.md) [b](notebooks/index.md#top) c [d](https://x)"


def test_links_are_relative_to_their_page(hooks):
    text = "[home](../README.md) [lesson](00-quick-start.ipynb)"
    moved = hooks.with_links_of_the_site(text, "notebooks/README.md", "notebooks/index.md")
    assert moved == "[home](../index.md) [lesson](00-quick-start.ipynb)"


def test_formulas_become_mathml_outside_code_alone(hooks):
    html = "<p>$a &lt; b$ and $$x_t$$</p><code>$HOME and $PATH</code>"
    made = hooks.with_mathml(html)
    assert made.count("<math") == 2
    assert "<mo>&#x0003C;</mo>" in made
    assert made.endswith("<code>$HOME and $PATH</code>")


def test_what_moves_leaves_no_output_and_the_next_cell_stays(hooks):
    def cell(tag: str, output: str) -> str:
        head = (
            f'<div class="jp-Cell jp-CodeCell {tag}"><div class="jp-Cell jp-CodeCell {tag}" id="x">'
        )
        return f'{head}<div class="jp-Cell-inputWrapper">in</div>{output}</div></div>'

    output = '<div class="jp-Cell-outputWrapper"><div>out</div></div>'
    after = cell("", output)
    page = cell("celltag_bar", output) + after
    assert hooks.without_motion(page) == cell("celltag_bar", "") + after
