"""The embedded text: the English of Python's own documentation, `pydoc_data.topics`.

Its topics are excerpts of the language reference and overlap ("compound" holds most of "if"),
so a paragraph is kept only in the shortest topic that has it: what is held out is then never
trained on. The split is by topic and depends on nothing but their names and lengths.
"""

from __future__ import annotations

import platform
import re
import zlib
from collections.abc import Mapping

from bim_explorer.core.errors import DataError

NAME = f"the documentation of Python {platform.python_version()}"
PROVENANCE = (
    f"Real text: the English of Python {platform.python_version()}'s own documentation "
    "(pydoc_data.topics), a tenth of it held out by topic."
)
_HELD_OUT_SHARE = 0.1
_PARAGRAPHS = re.compile(r"\n{2,}")


def parts() -> dict[str, str]:
    """The text of the train, validation and test part.

    Raises:
        DataError: This Python comes without its documentation.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise DataError(
            "this Python comes without pydoc_data.topics: set data to a UTF-8 text file."
        ) from error
    return split_topics(without_repeats(topics))


def without_repeats(topics: Mapping[str, str]) -> dict[str, str]:
    """The topics by name, every paragraph kept only in the shortest topic that has it."""
    seen: set[str] = set()
    kept: dict[str, str] = {}
    for name in sorted(topics, key=lambda name: (len(topics[name]), name)):
        new = []
        for paragraph in _PARAGRAPHS.split(topics[name].strip("\n")):
            if paragraph.strip() not in seen:
                seen.add(paragraph.strip())
                new.append(paragraph + "\n\n")
        kept[name] = "".join(new)
    return {name: kept[name] for name in sorted(kept)}


def split_topics(topics: Mapping[str, str]) -> dict[str, str]:
    """Join topics to three parts, each in the order of its topics' names.

    In the order of a hash of the names, a topic goes to validation if it still fits into that
    part's tenth of the text, else to test if it fits there, else to training.
    """
    room = _HELD_OUT_SHARE * sum(map(len, topics.values()))
    chosen: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    size = dict.fromkeys(chosen, 0)
    for name in sorted(topics, key=lambda name: (zlib.crc32(name.encode()), name)):
        held_out = ("validation", "test")
        part = next((p for p in held_out if size[p] + len(topics[name]) <= room), "train")
        chosen[part].append(name)
        size[part] += len(topics[name])
    return {part: "".join(topics[name] for name in sorted(chosen[part])) for part in chosen}
