"""One source of truth for what is needed: pyproject.toml, and two files that must agree with it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
EXTRAS = ("dev", "notebooks", "sweeps", "docs")
EXACT = re.compile(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+")
# torch's own pins; a CPU build has none of them.
CUDA = re.compile(r"nvidia-|cuda-|triton$")
MACHINE_PATH = re.compile(r"(?<![\w.~/$})\]-])/(?:work|root|home|Users)(?:/\w+|(?=[\s\"'`]))")


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _constraint_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _pins() -> dict[str, Version]:
    parts = (line.split("==") for line in _constraint_lines())
    return {canonicalize_name(name): Version(pin) for name, pin in parts}


def _direct_requirements() -> list[Requirement]:
    project = _project()
    of_extras = (project["optional-dependencies"][extra] for extra in EXTRAS)
    return [Requirement(text) for text in chain(project["dependencies"], *of_extras)]


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""})


def _needed() -> Iterator[str]:
    """Names of all that pip installs for the project and its extras, followed to the end."""
    waiting, seen = _direct_requirements(), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen or CUDA.match(name):
            continue
        seen.add(key)
        yield name
        below = (Requirement(text) for text in requires(name) or [])
        waiting += [child for child in below if _applies(child, {"", *requirement.extras})]


def test_constraints_are_exact_and_name_no_index_or_local_build():
    wrong = [line for line in _constraint_lines() if not EXACT.fullmatch(line)]
    assert not wrong, f"constraints.txt takes `name==version` alone: {wrong}"


def test_constraints_pin_each_thing_once():
    assert len(_pins()) == len(_constraint_lines())


def test_constraints_meet_the_lower_bounds():
    pins = _pins()
    unmet = [
        str(requirement)
        for requirement in _direct_requirements()
        if pins[canonicalize_name(requirement.name)] not in requirement.specifier
    ]
    assert not unmet


@pytest.mark.skipif(sys.platform != "linux", reason="constraints.txt was taken on Linux")
def test_constraints_pin_all_that_is_installed():
    missing = set(_needed()) - set(_pins())
    assert not missing, f"run `make pins`: constraints.txt lacks {sorted(missing)}"


def test_pins_take_the_oldest_python_allowed():
    """A pin that wants 3.11.5 leaves Debian's 3.11.2 without a solution."""
    oldest = _project()["requires-python"].removeprefix(">=") + ".0"
    pickier = {}
    for name in _pins():
        try:
            wanted = metadata(name).get("Requires-Python")
        except PackageNotFoundError:
            continue
        if wanted and oldest not in SpecifierSet(wanted):
            pickier[name] = wanted
    assert not pickier, f"pin an earlier version that takes Python {oldest}: {pickier}"


def test_the_environment_is_the_pinned_one():
    other = {}
    for name, pin in _pins().items():
        try:
            installed = Version(version(name))
        except PackageNotFoundError:
            continue
        if installed.public != pin.public:
            other[name] = f"{installed}, pinned {pin}"
    assert not other, f"run `make setup`: {other}"


def test_environment_file_is_thin():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python, pip, below = environment["dependencies"]
    assert python == f"python{_project()['requires-python']}"
    assert pip == "pip"
    assert below == {"pip": ["-c constraints.txt", "-e .[notebooks]"]}


def test_the_console_script_is_ours():
    assert _project()["scripts"] == {"bim-explorer": "bim_explorer.cli:main"}


def _tracked_texts() -> Iterator[tuple[str, str]]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes())[:1024]:
            yield name, content.decode("utf-8", "replace")


def test_no_file_names_a_place_on_one_machine():
    found = {
        f"{name}: {match.group()}"
        for name, text in _tracked_texts()
        for match in MACHINE_PATH.finditer(text)
    }
    assert not found
