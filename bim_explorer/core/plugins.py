"""A user's own file as a plugin: a task, encoder, rule, neuron or baseline without a package.

    BIM_PLUGINS=mine.py[:other.py]                  which files, in the environment
    BIM_EXPLORER = {"rules": {"mine": "MyRule"}}    in the file: group → name → class

The environment is inherited by all that is spawned: the page's worker, the processes of a sweep.
The line is read without running the file, so listing names imports nothing; the file runs when
something of it is asked for, and again after it was edited.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from bim_explorer.core.errors import ConfigError

VARIABLE = "BIM_PLUGINS"
LINE = "BIM_EXPLORER"
#: What a file may add to, each a registry of `core.registries`.
GROUPS = ("tasks", "encoders", "rules", "neurons", "baselines")

Lines = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One file and what it adds.

    Attributes:
        path: The file, absolute.
        lines: `{group: {name: attribute}}`, as its line says.
    """

    path: Path
    lines: Lines

    def load(self, attribute: str) -> Any:
        """The object of that name in the file.

        Raises:
            ConfigError: The file cannot be run, or has no such object.
        """
        module = _run(self.path, self.path.stat().st_mtime_ns)
        try:
            return getattr(module, attribute)
        except AttributeError:
            raise ConfigError(
                f"{self.path} defines no {attribute!r}, which its line {LINE} names"
            ) from None

    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def plugins() -> list[Plugin]:
    """All plugins of this process, in the order of `BIM_PLUGINS`.

    Raises:
        ConfigError: A file that is not there, or has no such line.
    """
    return [_read(path) for path in plugin_paths()]


def plugin_paths() -> list[Path]:
    """The files that `BIM_PLUGINS` names, absolute; relative ones are of the working folder."""
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    return [Path(name).expanduser().resolve() for name in dict.fromkeys(named) if name]


def use_plugins(*files: str | Path) -> None:
    """Add files to `BIM_PLUGINS` for this process and all that it spawns from now on.

    Raises:
        ConfigError: A file that is not there, or has no such line; nothing was added then.

    Example:
        >>> use_plugins()
    """
    paths = [Path(file).expanduser().resolve() for file in files]
    for path in paths:
        _read(path)
    together = dict.fromkeys([*plugin_paths(), *paths])
    if together:
        os.environ[VARIABLE] = os.pathsep.join(map(str, together))


def _read(path: Path) -> Plugin:
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{VARIABLE} names {path}, which cannot be read: {reason}") from error


@lru_cache(maxsize=64)
def _parsed(path: Path, _changed: int) -> Plugin:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no Python file that can be read: {error}") from error
    found = [node.value for node in tree.body if isinstance(node, ast.Assign) and _names(node)]
    if not found:
        raise ConfigError(
            f"{path} has no line {LINE} = {{...}} that says what it adds, "
            f'such as {LINE} = {{"rules": {{"mine": "MyRule"}}}}'
        )
    return Plugin(path, _checked(path, found[-1]))


def _names(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == LINE for target in node.targets)


def _checked(path: Path, node: ast.expr) -> Lines:
    try:
        lines = ast.literal_eval(node)
    except ValueError:
        lines = None
    if not isinstance(lines, dict) or not all(map(_is_line, lines.values())):
        raise ConfigError(
            f"{path}: {LINE} must be a plain dictionary of strings, group → name → class"
        )
    for group in lines:
        if group not in GROUPS:
            raise ConfigError(f"{path}: {LINE} knows the groups {', '.join(GROUPS)}; got {group!r}")
    return lines


def _is_line(line: Any) -> bool:
    return isinstance(line, dict) and all(
        isinstance(text, str) for pair in line.items() for text in pair
    )


@lru_cache(maxsize=64)
def _run(path: Path, _changed: int) -> ModuleType:
    name = f"bim_plugin_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return module
