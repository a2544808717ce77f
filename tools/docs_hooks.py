"""What `make docs` adds to the site: README as home, the lessons, and a page for every layer.

All of it lies outside docs/ and stays there; nothing is written into the checkout. The site needs
no other machine, neither while it is built nor while it is read: formulas become MathML, and the
scripts of the plots go once into a file that all lessons share.
"""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import panel
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# What a kernel tells its own front end has no place in a page.
warnings.filterwarnings("ignore", message="Your element with mimetype")

#: Texts of the checkout and the pages that they become.
TEXTS = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "data/README.md": "data.md",
    "notebooks/README.md": "notebooks/index.md",
    "benchmarks/LOG.md": "log.md",
    "benchmarks/RESULTS.md": "results.md",
}
#: Titles of the layers; a test holds that none is missing.
LAYERS = {
    "analysis": "Analysis",
    "sweeps": "Sweeps",
    "training": "Training",
    "engine": "Engine",
    "baselines": "Baselines",
    "kernels": "Kernels",
    "functional": "Equations",
    "tasks": "Tasks",
    "store": "Run folder",
    "config": "Configuration",
    "core": "Interfaces",
    "service": "Service",
    "views": "Page and plots",
    "cli": "Command line",
}
#: What stands for the dashboard where no kernel runs it.
STILL = """<p>On this page the cell below is a picture; in JupyterLab it lives.</p>
<img class="bim-still" alt="The dashboard after some learning" src="../pictures/light.png">"""
#: A script of more characters is kept once, beside the pages.
SHARED_SCRIPT = 200_000

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
_VERBATIM = re.compile(r"(<(script|style|pre|code)\b.*?</\2>)", re.S)
_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$\n]+?)\$(?![\w$])", re.S)
_FOREIGN = re.compile(
    r"<script[^>]*\bsrc=\"https?://[^>]*>\s*</script>"
    r"|<script type=\"module\">(?:(?!</script>).)*?https?://(?:(?!</script>).)*?mermaid.*?</script>"
    r"|<script type=\"text/x-mathjax-config\">.*?</script>",
    re.S,
)
_SCRIPT = re.compile(r"<script[^>]*>(?P<code>.*?)</script>", re.S)
#: A cell that shows something live or in motion, up to its output, and that output. The plugin
#: puts every cell into another that has the same class and no id.
_UNSTILL = re.compile(
    r"(<div class=\"jp-Cell [^\"]*celltag_(?:live|bar)\b[^\"]*\" id="
    r"(?:(?!<div class=\"jp-Cell ).)*?)"
    r"<div class=\"jp-Cell-outputWrapper\">.*?(?=<div class=\"jp-Cell )",
    re.S,
)
_PANEL_STYLE = re.compile(
    r"https://cdn\.holoviz\.org/panel/[\d.]+/dist/([\w/.-]+\.css)(?:\?v=[\d.]+)?"
)
_LIVE_CELL = re.compile(r"(<div class=\"jp-Cell [^\"]*celltag_live[^\"]*\">)")


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the texts, the lessons and the reference, before any plugin looks at the files."""
    for source, page in TEXTS.items():
        path = ROOT / source
        if path.is_file():
            files.append(File.generated(config, page, content=path.read_text("utf-8")))
    for lesson in sorted((ROOT / "notebooks").glob("*.ipynb")):
        place = f"notebooks/{lesson.name}"
        files.append(File(place, str(ROOT), config.site_dir, config.use_directory_urls))
    for layer, title in LAYERS.items():
        if (ROOT / "bim_explorer" / layer).is_dir():
            page = f"reference/{layer}.md"
            files.append(File.generated(config, page, content=reference(layer, title)))
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Home, how-to, lessons, reference, the project's own pages; in that order."""
    sections = ["How to", "Notebooks", "Reference"]
    layers = [f"reference/{layer}.md" for layer in LAYERS]

    def rank(item: Any) -> int:
        if isinstance(item, Page):
            return 0 if item.is_homepage else len(sections) + 1
        return 1 + sections.index(item.title) if item.title in sections else len(sections) + 2

    nav.items.sort(key=rank)
    for item in nav.items:
        if item.title == "Reference":
            item.children.sort(key=lambda page: layers.index(page.file.src_uri))
        elif item.title == "Notebooks":
            item.title = "Lessons"
    return nav


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let a text's links lead to pages."""
    place = page.file.src_uri
    source = next((text for text, home in TEXTS.items() if home == place), f"docs/{place}")
    return with_links_of_the_site(markdown, source, place)


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make a lesson's page stand alone."""
    if not page.file.src_uri.endswith(".ipynb"):
        return content
    content = without_motion(_FOREIGN.sub("", content))
    content = _PANEL_STYLE.sub(lambda found: _own_style(found[1], Path(config.site_dir)), content)
    content = _SCRIPT.sub(lambda found: _shared(found, Path(config.site_dir)), content)
    content = _LIVE_CELL.sub(rf"{STILL}\1", content)
    return with_mathml(content)


def without_motion(content: str) -> str:
    """A page without the outputs of cells that are marked `live` or `bar`."""
    return _UNSTILL.sub(r"\1</div></div>", content)


def with_mathml(content: str) -> str:
    """The formulas of a page as MathML; scripts and code stay as they are."""
    parts = _VERBATIM.split(content)
    # Of three parts each, text, verbatim and its tag's name, text alone holds formulas.
    return "".join(
        _FORMULA.sub(_mathml, part) if index % 3 == 0 else part * (index % 3 == 1)
        for index, part in enumerate(parts)
    )


def reference(layer: str, title: str) -> str:
    """The page of a layer: every module's docstring and what it offers."""
    folder = ROOT / "bim_explorer" / layer
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(folder.rglob("*.py"))
        if not path.stem.startswith("_") or path.stem == "__init__"
    ]
    sections = "\n\n".join(f"::: {module}" for module in sorted(modules))
    return f"---\ntitle: {title}\n---\n# `bim_explorer.{layer}`\n\n{sections}\n"


def with_links_of_the_site(text: str, source: str, page: str) -> str:
    """Links between files of the checkout as links between pages; others become plain text.

    Args:
        text: Markdown.
        source: Its file in the checkout.
        page: The page that it becomes.
    """

    def moved(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
        target = TEXTS.get(path) or TEXTS.get(f"{path}/README.md")
        if path.startswith("docs/"):
            target = path.removeprefix("docs/")
        elif path.endswith(".ipynb"):
            target = path
        if target is None:
            return "]()"
        return f"]({posixpath.relpath(target, posixpath.dirname(page))}{found[2] or ''})"

    return re.sub(r"\[([^\]]*)\]\(\)", r"\1", _LINK.sub(moved, text))


def _mathml(found: re.Match[str]) -> str:
    formula, display = (found[1], "block") if found[1] else (found[2], "inline")
    return convert(html.unescape(formula.strip()), display=display)


def _own_style(path: str, site: Path) -> str:
    """A style sheet of Panel beside the pages, rather than at its vendor's."""
    kept = site / "assets" / "panel" / path
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(panel.__file__).parent / "dist" / path, kept)
    return f"../assets/panel/{path}"


def _shared(found: re.Match[str], site: Path) -> str:
    code = found["code"]
    if len(code) < SHARED_SCRIPT:
        return found[0]
    name = hashlib.sha256(code.encode()).hexdigest()[:12]
    file = site / "assets" / "lessons" / f"{name}.js"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code, "utf-8")
    return f'<script src="../assets/lessons/{name}.js"></script>'
