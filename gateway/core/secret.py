"""A value that cannot be printed.

A credential that a caller passes through travels in a `Plan`, and a configured token in a
`Token`; both are logged, compared and shown by `rc-gateway explain`. This type makes
that safe: its `repr`, `str` and format are a mask, it cannot be pickled, and its bytes
come out only through `reveal()`, which is easy to search for.

Rule 1: call `reveal()` only where bytes leave for a socket or a cipher.
Rule 2: this module knows nothing of where a secret comes from.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "********"


class Secret:
    """Bytes that show as a mask; equal in constant time, never hashed."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the bytes in clear."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised")
