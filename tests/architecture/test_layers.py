"""What loads at run time; import-linter (`make lint`) holds the layers as they are written."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAGE = ("panel", "panel_material_ui", "holoviews", "bokeh")
TORCH_FREE = (
    "bim_explorer.config",
    "bim_explorer.core",
    "bim_explorer.service",
    "bim_explorer.store",
    "bim_explorer.sweeps",
    "bim_explorer.tasks",
    "bim_explorer.views",
)
PAGE_FREE = (
    "bim_explorer.analysis",
    "bim_explorer.engine",
    "bim_explorer.service",
    "bim_explorer.sweeps",
    "bim_explorer.training",
)


def _loaded_by(statement: str) -> set[str]:
    """Names in sys.modules of a fresh interpreter after `statement`."""
    code = f"import sys\n{statement}\nprint(*sys.modules, sep='\\n')"
    command = [sys.executable, "-W", "ignore", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def _import_all(package: str) -> str:
    """A statement that imports `package` and every module in it."""
    return (
        "from importlib import import_module\n"
        "from pkgutil import walk_packages\n"
        f"package = import_module({package!r})\n"
        f"paths, prefix = getattr(package, '__path__', []), {package!r} + '.'\n"
        "[import_module(found.name) for found in walk_packages(paths, prefix)]"
    )


@pytest.mark.parametrize("module", TORCH_FREE)
def test_torch_stays_out(module):
    assert "torch" not in _loaded_by(_import_all(module))


def test_the_page_stays_out():
    loaded = _loaded_by("\n".join(map(_import_all, PAGE_FREE)))
    assert not loaded.intersection(PAGE)


def test_the_top_level_loads_no_layer():
    loaded = _loaded_by("import bim_explorer")
    assert {name for name in loaded if name.startswith("bim_explorer.")} == set()


def test_config_can_be_had_from_the_top_without_torch_or_page():
    loaded = _loaded_by("from bim_explorer import Config")
    assert not loaded.intersection({"torch", *PAGE})
