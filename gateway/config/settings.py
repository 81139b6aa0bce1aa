"""One setting is a path, a value and a source; a configuration is many, laid over each other.

Tables are taken apart into their leaves before they are merged, so the source of every
single value stays known, whoever set its neighbours.

Rule 1: the later setting wins; a table and a value at one path do not mix.
Rule 2: a list is one value: it replaces, it does not append.
Rule 3: what a file nests however deep is walked without recursion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value, which may be a secret; `source` is such as "--set"."""

    path: Path
    value: Any = field(repr=False)
    source: str


def flatten(tree: Mapping[str, Any], start: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of a tree in order; an empty table is a leaf."""
    waiting: list[tuple[Path, Any]] = [(start, tree)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, key), value[key]) for key in reversed(value)]
        elif path:
            yield path, value


def read_settings(tree: Mapping[str, Any], source: str, start: Path = ()) -> list[Setting]:
    """Return the leaves of a tree as settings of one source."""
    return [Setting(path, value, source) for path, value in flatten(tree, start)]


def merge(settings: Iterable[Setting]) -> dict[str, Any]:
    """Lay settings over each other in order; return the tree."""
    tree: dict[str, Any] = {}
    for setting in settings:
        table = tree
        *above, key = setting.path
        for part in above:
            deeper = table.get(part)
            if not isinstance(deeper, dict):
                deeper = table[part] = {}
            table = deeper
        if setting.value != {} or not isinstance(table.get(key), dict):
            table[key] = {} if setting.value == {} else setting.value
    return tree


def sources_of(settings: Iterable[Setting]) -> dict[str, str]:
    """Return who set each path last."""
    return {render_path(setting.path): setting.source for setting in settings}


def render_path(path: Iterable[str | int]) -> str:
    """Return a path as TOML writes it; what is no bare key is quoted, escaped and cut."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        # 80 characters are enough to find a key by, and no message grows with its input.
        name = part if _BARE.fullmatch(part) else json.dumps(part[:80])
        text += f".{name}" if text else name
    return text
