"""May they: caller x upstream x effective method x path.

So far one rule, for every caller: the paths that issue, exchange or end tokens are the
gateway's own while it owns the credential. A caller who could reach them would end the
session that everybody shares, or walk away with a token.

Rule 1: paths are compared on their reading, never on the bytes a caller chose.
Rule 2: a `Permitted` cannot be made but here, so a forgotten check is a type error.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.frozen import quick
from gateway.errors import NotPermitted
from gateway.policy.callers import Caller
from gateway.policy.routes import Routed

RESERVED = (
    b"/restapi/oauth/token",
    b"/restapi/oauth/revoke",
    b"/restapi/oauth/wstoken",
    b"/api/auth",
    b"/api/v1/auth",
    b"/api/v1/admin/token",
    b"/voice/api/v1/admin/token",
)


@dataclass(frozen=True, slots=True)
class Permitted:
    """A routed request that may be sent, and who asked."""

    caller: Caller
    routed: Routed


_new_permitted = quick(Permitted)


def permit(caller: Caller, routed: Routed) -> Permitted:
    """Return the permit, or raise `NotPermitted`."""
    if routed.upstream.scheme.owned and (path := reserved_prefix(routed.reading)):
        raise NotPermitted(f"{path.decode()} is reserved: this gateway keeps the credential itself")
    return _new_permitted(caller, routed)


def reserved_prefix(reading: bytes) -> bytes | None:
    """Return the reserved path that a reading is or lies below, or None."""
    if not reading.startswith(RESERVED):
        return None
    inside = reading + b"/"
    return next((path for path in RESERVED if inside.startswith(path + b"/")), None)
