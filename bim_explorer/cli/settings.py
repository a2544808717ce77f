"""From `--preset`, `--config`, `--set` and single options to a config, the later ones winning."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bim_explorer.cli.parser import Parser
from bim_explorer.core.errors import ConfigError

if TYPE_CHECKING:
    from bim_explorer.config import Config


def add_settings(parser: Parser) -> None:
    """The options that choose a config."""
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--preset", metavar="NAME", help="a named starting point")
    start.add_argument(
        "--config", metavar="FILE", type=Path, help="JSON of parameters, or a run's config.json"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="change one parameter; may be given again and again",
    )
    parser.add_argument("--seed", metavar="N", help="seed of all chance")


def with_presets(examples: str) -> Callable[[], str]:
    """Notes for `--help`: examples, then the presets and what they are."""

    def notes() -> str:
        from bim_explorer.config import preset_names, read_preset

        names = preset_names()
        width = 2 + max(map(len, names))
        lines = [f"  {name:<{width}}{read_preset(name).title}" for name in names]
        return "\n".join([examples, "", "presets:", *lines])

    return notes


def config_from(args: argparse.Namespace, **options: Any) -> Config:
    """The config that the command line asks for.

    Args:
        args: Parsed options of `add_settings`.
        **options: Further parameters given by options of their own; None is not given.

    Raises:
        ConfigError: A file that cannot be read, an unknown name, or a value that does not fit.
    """
    from bim_explorer.config import Config
    from bim_explorer.config.config import parse_assignment

    changes = dict(parse_assignment(text) for text in args.set)
    if "preset" in changes:
        raise ConfigError(f"a preset is a starting point: --preset {changes['preset']}, not --set")
    given = {"seed": args.seed, **options}
    changes |= {name: value for name, value in given.items() if value is not None}
    if not args.config:
        return Config(**({"preset": args.preset} if args.preset else {}), **changes)
    config = _read(args.config)
    config.change(changes)
    return config


def _read(path: Path) -> Config:
    from bim_explorer.config import Config
    from bim_explorer.core.registries import need_plugins

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold an object of parameters, got {content!r:.40}")
    if isinstance(content.get("values"), dict):
        need_plugins(content.get("plugins", {}))
        return Config.from_values(content["values"])
    return Config(**content)
