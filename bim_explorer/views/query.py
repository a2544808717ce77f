"""The page's address: flat parameters in the query string, in and out.

`?preset=text&balance=0.5&run=…` opens the preset with a changed balance, and joins that run if
it is still alive. Only what differs from the preset is written, so that links stay short.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bim_explorer.config import Config
from bim_explorer.core.errors import ConfigError

#: Keys of the query that are no parameters: the run to join and the page's look.
RUN = "run"
THEME = "theme"


def read_query(search: str, base: Config) -> tuple[Config, str, list[str]]:
    """What an address asks for.

    Args:
        search: The query string, with or without its question mark.
        base: The config that the query's parameters change; a preset in it starts afresh.

    Returns:
        The config, the id of the run to join (or ""), and a sentence for every ignored part.
    """
    query = dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))
    run_id = query.pop(RUN, "")
    query.pop(THEME, None)
    complaints: list[str] = []
    config = base.copy()
    if "preset" in query:
        try:
            config = Config(preset=query.pop("preset"))
        except ConfigError as error:
            complaints.append(str(error))
    complaints += _take(config, _known(query, complaints))
    return config, run_id, complaints


def _take(config: Config, values: Mapping[str, str]) -> list[str]:
    """Change all at once; where that fails one by one, with a sentence for each that is bad."""
    try:
        config.change(values)
        return []
    except ConfigError as error:
        if len(values) == 1:
            return [str(error)]
    return [text for name, value in values.items() for text in _take(config, {name: value})]


def _known(query: Mapping[str, str], complaints: list[str]) -> dict[str, str]:
    """The query's parameters, in the order of the sidebar; others become complaints."""
    names = Config.names()
    complaints += [
        f"The address names no known parameter {name!r}." for name in query if name not in names
    ]
    return {name: query[name] for name in names if name in query}


def changed_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the preset that the values started from, the preset's name first."""
    preset = values["preset"]
    start = Config(preset=preset).values() if preset else Config().values()
    changed = {name: value for name, value in values.items() if value != start[name]}
    return {"preset": preset, **changed}


def write_query(values: Mapping[str, Any], run_id: str = "", dark: bool | None = None) -> str:
    """The query string, question mark included, that opens a page with these values."""
    query = {name: _text(value) for name, value in changed_values(values).items()}
    if run_id:
        query[RUN] = run_id
    if dark is not None:
        query[THEME] = "dark" if dark else "default"
    return "?" + urlencode(query)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
