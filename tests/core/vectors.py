"""How the tests of core read their vectors, and try what may be refused.

A byte string stands in a vector as text of the same numbers: "\\u00ff" is the byte 0xFF.
"""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from gateway.core.headers import Fields
from gateway.errors import GatewayError

FOLDER = Path(__file__).parents[1] / "vectors"
Case = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")


def read_vectors(name: str, table: str = "case") -> list[Case]:
    with (FOLDER / f"{name}.toml").open("rb") as file:
        cases: list[Case] = tomllib.load(file)[table]
    assert len({case["name"] for case in cases}) == len(cases), "a name is given twice"
    return cases


def name_of(case: Case) -> str:
    return str(case["name"])


def bytes_of(text: str) -> bytes:
    return text.encode("latin-1")


def fields_of(pairs: Iterable[tuple[str, str]]) -> Fields:
    return tuple((bytes_of(name), bytes_of(value)) for name, value in pairs)


def attempt(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | GatewayError:
    """Return the value, or the refusal after a look at its text."""
    try:
        return function(*args, **kwargs)
    except GatewayError as error:
        refusal = error
    assert refusal.message.isascii()
    assert refusal.message.isprintable()
    return refusal
