"""May they: caller x upstream x effective method x path.

So far two rules, for every caller. The paths that issue, exchange or end tokens are the
gateway's own while it owns the credential: a caller who could reach them would end the
session that everybody shares, or walk away with a token. And a parameter that does not pass
may not be there under a name that the upstream could take for it.

Rule 1: paths are compared on their reading, never on the bytes a caller chose.
Rule 2: a `Permitted` cannot be made but here, so a forgotten check is a type error.
Rule 3: of a query only names are looked at (`likeness.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.core.frozen import quick
from gateway.core.grammar import unescape
from gateway.core.query import cut_pairs
from gateway.errors import NotPermitted
from gateway.policy.callers import Caller
from gateway.policy.routes import PASSTHROUGH, Routed

RESERVED = (
    b"/restapi/oauth/token",
    b"/restapi/oauth/revoke",
    b"/restapi/oauth/wstoken",
    b"/api/auth",
    b"/api/v1/auth",
    b"/api/v1/admin/token",
    b"/voice/api/v1/admin/token",
)
# Rack, below Rails applications, parts pairs at `;` as well (to version 2),
# and takes from a name what comes before the first bracket behind it, and those before it.
_PARTS = re.compile(rb"[&;]")
_NAME = re.compile(rb"[\[\]]*([^\[\]]*)")


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
    for name in routed.upstream.guarded_parameters:
        if routed.upstream.scheme is not PASSTHROUGH and _is_disguised(name, routed.request.query):
            allowing = f" (upstreams.{routed.upstream.name}.allow_impersonation)"
            raise NotPermitted(
                f"a parameter could be read as {name.decode()}; leave it out"
                + (allowing if name in routed.upstream.cut_parameters else "")
            )
    return _new_permitted(caller, routed)


def reserved_prefix(reading: bytes) -> bytes | None:
    """Return the reserved path that a reading is or lies below, or None."""
    if not reading.startswith(RESERVED):
        return None
    inside = reading + b"/"
    return next((path for path in RESERVED if inside.startswith(path + b"/")), None)


def _is_disguised(name: bytes, query: bytes | None) -> bool:
    """Tell whether a parameter may be read as `name`, but for those that are cut for their name."""
    left = cut_pairs(query, name)
    if not left or name not in unescape(left):
        return False
    keys = (unescape(part.partition(b"=")[0]) for part in _PARTS.split(left))
    return any(match[1] == name for key in keys if (match := _NAME.match(key)))
