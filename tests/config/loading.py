"""What the tests of the configuration share: vectors, and `load` with its problems as text."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.config.load import Loaded, load
from gateway.config.model import Config
from gateway.errors import ConfigError

VECTORS = Path(__file__).parents[1] / "vectors"
# The least that `load` accepts; the token needs nothing else.
TOKEN = "credentials.ringcentral.token=literal:t0ken"


def vectors_of(name: str) -> list[Mapping[str, Any]]:
    """Read the cases of tests/vectors/NAME.toml."""
    cases: list[Mapping[str, Any]] = tomllib.loads((VECTORS / f"{name}.toml").read_text())["case"]
    return cases


def reason_of(parse: Callable[[str], object], text: str) -> str:
    """Return why a text is refused, nothing when it is not."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


def load_sets(*sets: str, environ: Mapping[str, str] | None = None) -> Loaded:
    """Load the least configuration with some `--set`."""
    return load([], [TOKEN, *sets], environ or {})


def config_of(*sets: str) -> Config:
    """Return the least configuration with some `--set`."""
    return load_sets(*sets).config


def problems_of(
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    files: Sequence[Path] = (),
    *,
    resolve: bool = False,
) -> list[str]:
    """Return the problems of a configuration, none when it is fine."""
    try:
        load(files, sets, environ or {}, resolve=resolve)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
