"""A flaw of the raw configuration, and the name that a wrong one was meant to be.

Rule 1: names are read from the model; none is listed here.
Rule 2: an unknown key's value is never shown: it may be a secret under a wrong name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from gateway.config.model import Config
from gateway.config.settings import Path, render_path


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong at a path of the tree, before its source is known."""

    path: tuple[str | int, ...]
    message: str


def names_at(path: Iterable[str | int]) -> tuple[str, ...]:
    """Return the keys that the model has in the table at a path."""
    kind: Any = Config
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = get_args(kind)[1]
    return tuple(kind.model_fields)


def explain_unknown(path: tuple[str | int, ...], known: tuple[str, ...]) -> str:
    """Say that a key is unknown, with the nearest name beside it, or elsewhere, or all."""
    *table, key = path
    # Long keys are no typing errors, and comparing them takes long.
    near = difflib.get_close_matches(str(key)[:40], known, n=1)
    if near:
        return f"unknown key; did you mean {render_path([*table, near[0]])}?"
    elsewhere = [place for place in _places() if place[-1] == key]
    if elsewhere:
        return f"unknown key; did you mean {render_path(elsewhere[0])}?"
    place = f"[{render_path(table)}]" if table else "the configuration"
    return f"unknown key; {place} has {', '.join(known)}"


def _places() -> Iterator[Path]:
    for section, field in Config.model_fields.items():
        table = (section, "NAME") if get_origin(field.annotation) is dict else (section,)
        yield from ((*table, key) for key in names_at(table))
