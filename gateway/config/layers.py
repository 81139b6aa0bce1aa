"""Where settings come from: files, environment and `--set`.

Each reader returns what it could read and a problem for what it could not, so that one
bad file does not hide what is wrong with the rest.

Rule 1: of the environment only `RCGW_SECTION__KEY` is configuration; a name without a
        double underscore belongs to somebody else.
Rule 2: a value outside a file is read as TOML, else as the text that it is.
Rule 3: a problem names the place and never shows a value.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from gateway.config.secrets import describe
from gateway.config.settings import Setting, read_settings, render_path
from gateway.errors import Problem

PREFIX = "RCGW_"
_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NEWLINE = b"\n"
_LINE = re.compile(r"line ([0-9]+), ")
# A line that is a key and a bare word, which text in quotes was meant to be: no switch.
_BARE_WORD = re.compile(
    rb"[ \t]*([A-Za-z0-9_.-]{1,80})[ \t]*="
    rb"[ \t]*(?!(?i:true|false|yes|no)\b)[A-Za-z/][^\s\"'\[\]{},=#]*[ \t\r]*(?:#.*)?"
)
# What tomllib says at such a word; one that begins with "inf" or "true" is found out later.
_AT_A_WORD = ("Invalid value", "Expected newline")

Layer = tuple[list[Setting], list[Problem]]


def read_file(path: FilePath) -> Layer:
    """Read one TOML file; its name is the path of its problem."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return [], [Problem(str(path), describe(error))]
    if content.startswith(codecs.BOM_UTF8):
        message = "begins with a byte order mark; save it as UTF-8 without one"
        return [], [Problem(str(path), message)]
    try:
        tree = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(_NEWLINE, 0, error.start) + 1
        return [], [Problem(str(path), f"line {line} is not UTF-8; save the file as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return [], [Problem(str(path), _locate(str(error), content))]
    except (ValueError, RecursionError):
        return [], [Problem(str(path), "has a number too long or arrays too deep to be read")]
    return read_settings(tree, f"file {path}"), []


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Read every `RCGW_SECTION__KEY`; names are not case-sensitive."""
    settings: list[Setting] = []
    problems: list[Problem] = []
    owners: dict[tuple[str, ...], str] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or "__" not in name.removeprefix(PREFIX):
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if not all(_KEY.fullmatch(part) for part in path):
            problems.append(Problem(f"{name[:80]!a}", "is not a setting; write RCGW_SECTION__KEY"))
        elif path in owners:
            problems.append(
                Problem(render_path(path), f"set twice, by {owners[path]} and {name}; remove one")
            )
        else:
            owners[path] = name
            settings += _read_value(path, environ[name], f"environment {name}")
    return settings, problems


def read_sets(sets: Iterable[str]) -> Layer:
    """Read `--set section.key=value`, in order."""
    settings: list[Setting] = []
    problems: list[Problem] = []
    for text in sets:
        key, mark, value = text.partition("=")
        path = tuple(part.strip() for part in key.split("."))
        if not mark:
            problems.append(Problem("--set", "has no '='; write --set section.key=value"))
        elif not all(_KEY.fullmatch(part) for part in path):
            problems.append(
                Problem("--set", f"{key[:80]!a} is not a key; write --set section.key=value")
            )
        else:
            settings += _read_value(path, value.strip(), "--set")
    return settings, problems


def _read_value(path: tuple[str, ...], text: str, source: str) -> list[Setting]:
    value = parse_value(text)
    if isinstance(value, dict):
        return read_settings(value, source, path)
    return [Setting(path, value, source)]


def parse_value(text: str) -> Any:
    """Return a value as TOML reads it, else the text."""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    # A newline in the text could start another key.
    return tree["value"] if len(tree) == 1 else text


def _locate(message: str, content: bytes) -> str:
    """Put the place of tomllib's message before what is wrong there."""
    what, _, where = message.removesuffix(")").rpartition(" (at ")
    if where == "end of document":
        where = f"line {content.rstrip().count(_NEWLINE) + 1}, the end of the file"
    elif what.startswith(_AT_A_WORD) and (line := _LINE.match(where)):
        what += _tell_quotes(content.split(_NEWLINE)[int(line[1]) - 1])
    return f"{where}: {what}"


def _tell_quotes(line: bytes) -> str:
    """Return how the text of a line is written, when that is plainly what it lacks."""
    match = _BARE_WORD.fullmatch(line)
    return f'; text stands in quotes: {match[1].decode()} = "..."' if match else ""
