"""From a raw tree to a `Config`: validation, with every flaw in words that say what to write.

A value that does not pass is taken out of the tree, so that its default stands in and
what depends on other values can be judged in the same run. The result is only used when
there was no flaw at all.

Rule 1: a value is shown only where it is a choice or a number, and then cut short.
Rule 2: whatever the tree holds, the outcome is a `Config`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.config.flaws import Flaw, explain_unknown, names_at
from gateway.config.model import Config
from gateway.config.presets import PRESETS

# Python writes no number of more than 4300 digits.
_LARGE = 10**18
_TEXTS = {
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "string_type": "write text in quotes",
    "string_unicode": "write text that is valid UTF-8",
    "greater_than": "write a number greater than {gt:.0f}",
    "greater_than_equal": "write a number of at least {ge:.0f}",
    "less_than_equal": "write a number of at most {le:.0f}",
    "literal_error": "write {expected}",
    "enum": "write {expected}",
    "tuple_type": "write a list in [ ]",
    "too_short": "list at least one",
    "model_type": "write a table",
    "dict_type": "write a table",
    "string_pattern_mismatch": 'write a name of a-z, 0-9, "-" and "_"',
}


def read_config(tree: dict[str, Any]) -> tuple[Config, list[Flaw]]:
    """Validate a tree; return the configuration without its flaws, and the flaws."""
    try:
        return Config.model_validate(tree), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    flaws = []
    for detail in details:
        # A list of which every item is flawed is not also too short.
        if detail["type"] != "too_short" or not detail["input"]:
            path = _path_of(detail, tree)
            flaws.append(Flaw(path, _explain(detail, path)))
    for flaw in flaws:
        _remove(tree, flaw.path)
    return Config.model_validate(tree), flaws


def _path_of(detail: ErrorDetails, tree: dict[str, Any]) -> tuple[str | int, ...]:
    """Return where it is wrong as the operator wrote it."""
    path = detail["loc"][:-1] if _is_about_key(detail) else detail["loc"]
    value: Any = tree
    for depth, part in enumerate(path):
        if isinstance(part, int) and not isinstance(value, list):
            # One value where a list is allowed has no index.
            return path[:depth]
        value = value[part] if depth < len(path) - 1 else value
    return path


def _is_about_key(detail: ErrorDetails) -> bool:
    """Tell whether the name of a table is wrong; pydantic says so by a last part of its own."""
    return detail["loc"][-1] == "[key]" and detail["type"] != "extra_forbidden"


def _explain(detail: ErrorDetails, path: tuple[str | int, ...]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return explain_unknown(path, names_at(path[:-1]))
    if _is_about_key(detail) and path[0] == "upstreams":
        return explain_unknown(path, tuple(PRESETS))
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    text = _TEXTS.get(kind, detail["msg"]).format(**detail.get("ctx", {}))
    return f"{_show(detail['input'])} is not possible here; {text.replace(chr(39), chr(34))}"


def _show(value: object) -> str:
    """Return a value as TOML has it, when it is short; else what it is."""
    match value:
        case dict():
            return "a table"
        case list():
            return "a list" if value else "an empty list"
        case int() if abs(value) > _LARGE:
            return "a number that large"
        case int() | float() | str():
            text = json.dumps(value)
            return text if len(text) <= 40 else f"{text[:40]}..."
        case _:
            return f"a {type(value).__name__}"


def _remove(tree: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Take out what is at a path; a list goes as a whole."""
    *above, key = [part for part in path if isinstance(part, str)]
    for part in above:
        if not isinstance(tree.get(part), dict):
            return
        tree = tree[part]
    tree.pop(key, None)
