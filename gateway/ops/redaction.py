"""What of a request may be shown: in a log line, and by `rc-gateway explain`.

The vendor puts secrets into paths and queries: a refresh token behind `/api/auth/logout/`,
a permanent token behind `/admin/token/`, passwords as parameters. A path is therefore
shown up to the part that names the operation, and never a value of those parameters.

Rule 1: paths are compared on their reading, so that no spelling of them escapes.
Rule 2: what comes out is printable ASCII, but for the ellipsis that marks a cut.
"""

from __future__ import annotations

import re

from gateway.core.grammar import ABSOLUTE, SEMICOLON, unescape
from gateway.core.secret import MASK
from gateway.core.target import read_path
from gateway.errors import BadRequest

CUT = "…"
# Operations of the vendor's whose path goes on with a secret, wherever a prefix puts them.
_SECRET_PATHS = (b"/api/auth", b"/api/v1/auth", b"/admin/token", b"/password/reset")
_SECRET_PATH = re.compile(rb"(?:" + rb"|".join(_SECRET_PATHS) + rb")(?=/|$)")
# What every spelling of one has; most paths have none of it, and cost a search.
_MAYBE_SECRET = re.compile(rb"%|auth|token|reset")
# Parameters of the vendor's that are secrets, lower case.
_SECRET_PARAMETERS = frozenset(
    {
        *(b"access_token", b"refresh_token", b"token", b"rcaccesstoken", b"internaljwt"),
        *(b"password", b"currentpassword", b"newpassword", b"code", b"loginhashcode"),
        *(b"client_secret", b"assertion"),
    }
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
# The longest names and reasons are shorter; what a caller can make longer is not worth more.
MAX_TEXT = 200
# Half a screen; a whole target can have 16 KiB.
MAX_PATH = 1000


def show_text(value: bytes | str, limit: int = MAX_TEXT) -> str:
    r"""Return `value` in printable ASCII, other bytes as `\x1b`, cut after `limit` characters."""
    if isinstance(value, str) and len(value) <= limit and value.isascii() and value.isprintable():
        return value
    if isinstance(value, bytes):
        text = value[: limit + 1].decode("ascii", "backslashreplace")
    elif value.isascii():
        text = value
    else:
        text = value[: limit + 1].encode("ascii", "backslashreplace").decode("ascii")
    if not text.isprintable():
        text = _UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    return text if len(text) <= limit else text[:limit] + CUT


def show_path(path: bytes) -> str:
    """Return a path as it may be shown; it need not have been believed, or be a path at all."""
    if not path.startswith(b"/"):
        absolute = ABSOLUTE.fullmatch(path)
        path = absolute["rest"] if absolute else path
    # A fragment is where OAuth puts an access token.
    path = path.partition(b"?")[0].partition(b"#")[0]
    if not path.startswith(b"/"):
        return "*" if path == b"*" else CUT
    end = _public_end(path)
    if end is None:
        return show_text(path, MAX_PATH)
    return show_text(end, MAX_PATH) + "/" + CUT


def hides_secret(path: bytes) -> bool:
    """Tell whether a path, or text that quotes one, goes on where `show_path` stops."""
    return _public_end(path) is not None


def mask_query(raw: bytes) -> bytes:
    """Return a query with the values of the vendor's secret parameters masked."""
    return b"&".join(_mask_pair(pair) for pair in raw.split(b"&"))


def _public_end(path: bytes) -> bytes | None:
    """Return the reading of the part that names the operation, or None when all is public."""
    # A third of what it costs to search without regard to case.
    if _MAYBE_SECRET.search(path.lower()) is None:
        return None
    try:
        reading = read_path(path)
    except BadRequest:
        # Its reading is unknown, so none of it is shown.
        return b""
    match = _SECRET_PATH.search(reading)
    # Parameters (`;...`) are no part of a reading, but could be where the secret stands.
    if match is None or (match.end() == len(reading) and SEMICOLON not in path):
        return None
    return reading[: match.end()]


def _mask_pair(pair: bytes) -> bytes:
    name, equals, _ = pair.partition(b"=")
    secret = equals and unescape(name).lower() in _SECRET_PARAMETERS
    return name + equals + MASK.encode() if secret else pair
