"""Sweep files, JSON or TOML: what is run, in a form that runs from anywhere.

    preset = "recall"
    updates = 200

    [set]
    delay = 20

    [axes]
    balance = [0.0, 0.5, 1.0]
    seed = [0, 1, 2]
    learning_rate = { log_uniform = [1e-4, 1e-1, 5] }

In the place of `preset` and `set` there may be `values`, all of a config's; a sweep folder's
`plan.json` is such a file.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError, unknown_name

_KEYS = ("format", "title", "preset", "set", "values", "axes", "updates", "seconds", "search")
_FORMAT = 1


def read_sweep_file(path: Path) -> dict[str, Any]:
    """What a sweep file asks for: "base", a config, and its "axes", "updates" and "seconds".

    Raises:
        ConfigError: It cannot be read, or holds what it may not.
    """
    content = _content(path)
    for name in content:
        if name not in _KEYS:
            raise ConfigError(f"{path}: {unknown_name('key', name, _KEYS)}")
    for name in ("set", "values", "axes"):
        if not isinstance(content.get(name, {}), dict):
            raise ConfigError(f"{path}: {name} must hold names and values, got {content[name]!r}")
    if content.get("format", _FORMAT) != _FORMAT:
        raise ConfigError(f"{path}: format must be {_FORMAT}, got {content['format']!r}")
    try:
        return {**content, "base": _base(content)}
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _base(content: dict[str, Any]) -> Config:
    if "values" in content:
        if "preset" in content or "set" in content:
            raise ConfigError("values stand for themselves, without preset and set")
        return Config.from_values(content["values"])
    start = {"preset": content["preset"]} if content.get("preset") else {}
    return Config(**{**content.get("set", {}), **start})


def _content(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        known = "" if path.suffix else ", and no preset has that name"
        raise ConfigError(f"{path} cannot be read: {error.strerror}{known}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no UTF-8 text: {error.reason}") from error
    try:
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise ConfigError(f"{path} is no {kind}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold an object, got {content!r:.40}")
    return content
