"""References to secrets: `env:NAME`, `file:/path`, `literal:...`.

The configuration holds only where a secret is, so it can be shown and compared; the
secret itself exists from `resolve` on, as a `Secret`. A literal is refused unless it is
announced, because a token pasted into a file is more often an accident than a wish.

Rule 1: no message, repr or serialisation of this module holds a secret or a part of one.
Rule 2: what resolves can be a field value: printable ASCII, no newline; a token has no blank.
Rule 3: a reference is resolved anew each time, so that a file that changes is read again.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.core.grammar import FIELD_VALUE
from gateway.core.secret import MASK, Secret

_FORMS = 'write "env:NAME", "file:/path", or "literal:..." to keep it here in clear'
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The keys of [credentials.NAME] that lead to tokens.
TOKENS = frozenset({"token", "jwt", "refresh_token"})
# A token has a few kilobytes at most; a larger file is a wrong path.
_MAX_FILE_BYTES = 65536


class Unresolved(Exception):
    """A reference leads to no usable secret; the text says why, and holds none of it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is: `place` is a variable's name or an absolute path."""

    kind: Literal["env", "file", "literal"]
    place: str = ""
    literal: Secret = field(default_factory=lambda: Secret(b""))

    def resolve(self, environ: Mapping[str, str], *, is_token: bool = False) -> Secret:
        """Return the secret as it is now, or raise `Unresolved`."""
        if self.kind == "env":
            value, name = _read_variable(self.place, environ), f"variable {self.place}"
        elif self.kind == "file":
            value, name = _read_file(Path(self.place)), f"file {self.place}"
        else:
            value, name = self.literal.reveal(), "the literal"
        if (flaw := _find_flaw(value, is_token=is_token)) is not None:
            raise Unresolved(f"{name} {flaw}")
        return Secret(value)

    def __str__(self) -> str:
        return f"{self.kind}:{MASK if self.kind == 'literal' else self.place}"

    def __repr__(self) -> str:
        return f"Reference({str(self)!r})"


def parse_reference(text: str) -> Reference:
    """Read a reference, or raise `ValueError` with what to write; never shows the value."""
    kind, _, rest = text.partition(":")
    match kind:
        case "env" if _VARIABLE.fullmatch(rest):
            return Reference("env", rest)
        case "env":
            raise ValueError('env: takes the name of a variable, such as "env:RC_ACCESS_TOKEN"')
        case "file" if rest.startswith("/") and rest.isprintable():
            return Reference("file", rest)
        case "file":
            raise ValueError('file: takes an absolute path, such as "file:/run/secrets/token"')
        case "literal":
            return Reference("literal", literal=Secret(rest.encode("utf-8", "surrogatepass")))
        case _:
            raise ValueError(f"a secret is written as a reference; {_FORMS}")


def _read_variable(name: str, environ: Mapping[str, str]) -> bytes:
    value = environ.get(name)
    if value is None:
        raise Unresolved(f"the environment variable {name} is not set")
    return value.encode("utf-8", "surrogatepass")


def _read_file(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise Unresolved(f"{path} is {kind}; file: takes a file that holds the secret")
        with path.open("rb") as file:
            value = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Unresolved(f"file {path} {describe(error)}") from None
    if len(value) > _MAX_FILE_BYTES:
        raise Unresolved(f"file {path} has more than {_MAX_FILE_BYTES} bytes; it is no secret")
    # Editors and `echo` end a file with a newline that nobody means.
    return value.removesuffix(b"\n").removesuffix(b"\r")


def describe(error: OSError) -> str:
    """Return why a file could not be read, to follow its name."""
    match error:
        case FileNotFoundError():
            return "does not exist"
        case IsADirectoryError():
            return "is a directory"
        case PermissionError():
            return "cannot be read: this user may not (permission denied)"
        case _:
            return f"cannot be read: {error.strerror}"


def _find_flaw(value: bytes, *, is_token: bool) -> str | None:
    """Return why a secret cannot be sent, to follow its name; None when it can."""
    if not value:
        return "is empty"
    if b"\n" in value or b"\r" in value:
        return "has a newline inside; it must be one line"
    if not value.isascii():
        return "is not ASCII; it cannot be sent in a header"
    if FIELD_VALUE.fullmatch(value) is None:
        return "has a control character, or a space at an end"
    # RFC 6750 section 2.1: a b64token has none; other characters are left to the vendor.
    if is_token and (b" " in value or b"\t" in value):
        return "has a blank inside; write the token alone, without 'Bearer'"
    return None
