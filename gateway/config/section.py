"""What every section of the configuration has in common.

A section is frozen, refuses keys that it does not know, and converts nothing: `"5"` is
no number and `1` is no switch, because a value that must be guessed at is a mistake
somewhere.

Rule: the description of a field names its unit; `rc-gateway config schema` shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Section(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        # A value may be a secret in the wrong place.
        hide_input_in_errors=True,
    )


def read_text(
    parse: Callable[[str], T], kind: type[T], form: str = "write text in quotes"
) -> Callable[[object], T]:
    """Return a validator that parses text, and lets pass what is parsed already.

    `form` is what to say to a value that is no text.
    """

    def read(value: object) -> T:
        if isinstance(value, kind):
            return value
        if not isinstance(value, str):
            raise ValueError(form)
        return parse(value)

    return read
