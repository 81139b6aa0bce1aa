"""What a later version brings: names that are known, values that do not work yet.

Saying "not in this version" is kinder than "unknown key", and safer than taking a
setting that changes nothing. The one value that does what this version does is taken.

Rule 1: a row leaves this table when its setting arrives in the model.
Rule 2: `take_later` removes from the tree what it has judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.config.flaws import Flaw
from gateway.config.settings import Path, flatten


@dataclass(frozen=True, slots=True)
class Later:
    """One setting to come; `works` is the value that is taken now, `written` is it in TOML."""

    works: Any
    written: str


_KEYS = {
    "ops": {"ready_requires": Later([], "[]")},
}


def take_later(tree: dict[str, Any]) -> list[Flaw]:
    """Judge every setting that is to come, take it out of the tree, return what is wrong."""
    flaws = []
    for path, value in list(flatten(tree)):
        later = _find(path)
        if later is None:
            continue
        works = type(value) is type(later.works) and value == later.works
        if not works:
            flaws.append(Flaw(path, f"not in this version; remove it or write {later.written}"))
        _remove(tree, path)
    return flaws


def later_names(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the keys that the table at a path will have besides those of the model."""
    match path:
        case (str() as section,):
            return tuple(_KEYS.get(section, {}))
        case _:
            return ()


def _find(path: Path) -> Later | None:
    match path:
        case (section, key):
            return _KEYS.get(section, {}).get(key)
        case _:
            return None


def _remove(tree: dict[str, Any], path: Path) -> None:
    for part in path[:-1]:
        tree = tree[part]
    del tree[path[-1]]
