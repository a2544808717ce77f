"""Presets: named starting points, each a JSON file with a title and what to watch.

`presets/NAME.json` is `{"title": …, "watch": …, "values": {flat name: value}}`, and where one
value must follow another, `"per": {flat name: [number, other name]}` for number / other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from bim_explorer.core.errors import ConfigError, unknown_name

_ORDER = (
    *("recall", "stdp", "half", "prune", "as-printed", "text", "wikitext", "words"),
    *("digits", "connected-digits", "librispeech", "eeg", "ecg", "multimodal", "continual"),
)
_FOLDER = files("bim_explorer.config") / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """A named starting point.

    Attributes:
        name: What `--preset` takes.
        title: What the page shows.
        watch: One sentence on what to look at.
        values: The flat parameters it sets.
        per: Parameters that are a number over another parameter, unless they are set.
    """

    name: str
    title: str
    watch: str
    values: dict[str, Any]
    per: dict[str, tuple[float, str]]

    def changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Its values with `changes` on top, those that follow a changed one going with it.

        Example:
            >>> read_preset("recall").changed({"delay": 200})["delta_min"]
            0.08
        """
        merged = {**self.values, **changes}
        follow = {name: number / float(merged[other]) for name, (number, other) in self.per.items()}
        return {**follow, **merged}


def preset_names() -> list[str]:
    """Names of the presets, in teaching order."""
    found = {entry.name.removesuffix(".json") for entry in _FOLDER.iterdir()}
    names = {name for name in found if (_FOLDER / f"{name}.json").is_file()}
    return [*(name for name in _ORDER if name in names), *sorted(names - set(_ORDER))]


def read_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: No such preset; the text lists the known ones.
    """
    if name not in preset_names():
        raise ConfigError(unknown_name("preset", name, preset_names()))
    content = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    values = {"preset": name, **content["values"]}
    per = {name: (number, other) for name, (number, other) in content.get("per", {}).items()}
    return Preset(name, content["title"], content["watch"], values, per)
