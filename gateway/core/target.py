"""The request-target, read once.

A proxy is safe when the bytes it checked are the bytes it sends. So this module has one
reading of a target and one spelling of it: `parse_target` accepts only a target whose
reading is beyond doubt, and `render()` gives back exactly what was accepted.

Rule 1: no other module splits, joins or unquotes a path.
Rule 2: the query is carried as it is; `query.py` judges it, and no repr shows it.
Rule 3: this module knows nothing of routes, callers or upstreams.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.core.frozen import quick
from gateway.core.grammar import (
    ABSOLUTE,
    AT,
    AUTHORITY,
    BAD_IN_PATH,
    NUMBER_SIGN,
    PATH,
    PERCENT,
    unescape,
)
from gateway.errors import BadRequest, show

# A hop behind us decodes once, and one behind that once more.
_MAX_DECODINGS = 2
# Without any of these a path has one reading but for letter case and a slash at its end.
_MARK = re.compile(rb"[%;\\]|//")


@dataclass(frozen=True, slots=True)
class Authority:
    """A host (lower case, an IPv6 address in its brackets) and its port, None when not given."""

    host: bytes
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A believed target: `prefix` is `scheme://authority` as sent, empty in origin-form."""

    path: bytes
    query: bytes | None = None
    prefix: bytes = b""
    authority: Authority | None = None

    def render(self) -> bytes:
        """Return the bytes that were accepted."""
        return self.prefix + self.path + (b"" if self.query is None else b"?" + self.query)

    def __repr__(self) -> str:
        """Show no byte of it: a path may hold a secret as a query may."""
        return f"Target(path of {len(self.path)} bytes, query={self.query is not None})"


_new_target = quick(Target)


def parse_target(raw: bytes) -> Target:
    """Read an origin-form or absolute-form target (RFC 9112 section 3.2), or refuse it."""
    if NUMBER_SIGN in raw:
        raise BadRequest("the request-target has a '#'; send it as %23")
    if raw.startswith(b"/"):
        return _with_path(raw, b"", None)
    absolute = ABSOLUTE.fullmatch(raw)
    if absolute is None:
        raise BadRequest("the request-target must start with '/' or be an http URL")
    if absolute["scheme"].lower() not in (b"http", b"https"):
        raise BadRequest(f"a URL with scheme '{show(absolute['scheme'])}' cannot be forwarded")
    authority = parse_authority(absolute["authority"])
    return _with_path(absolute["rest"], raw[: absolute.start("rest")], authority)


def parse_authority(raw: bytes) -> Authority:
    """Read `host[:port]` without user information, or refuse it."""
    # RFC 9110 section 4.2.4: user information is an error. No byte of it is shown: it may be
    # a password.
    if AT in raw:
        raise BadRequest("a host must come without user information")
    match = AUTHORITY.fullmatch(raw)
    if match is None or (match["ipv6"] is not None and not _is_ipv6(match["ipv6"])):
        raise BadRequest(f"'{show(raw)}' is not a host with an optional port")
    port = match["port"]
    if port is not None and not 0 < int(port) < 65536:
        raise BadRequest(f"port {show(port)} is out of range")
    return Authority(match["host"].lower(), None if port is None else int(port))


def read_path(path: bytes) -> bytes:
    r"""Return the reading that policy compares: what a careless upstream might understand.

    Percent-decoded until stable (refused after two rounds), `\` as `/`, empty segments and
    `;parameters` dropped, lower case. Never sent anywhere.
    """
    if _MARK.search(path) is None:
        # Nothing to resolve: nearly every path.
        return path.rstrip(b"/").lower() or b"/"
    *_, decoded = _decodings(path)
    if unescape(decoded) != decoded:
        raise BadRequest("the path is percent-encoded more than twice")
    kept = (part.partition(b";")[0] for part in _segments(decoded))
    return b"/" + b"/".join(part for part in kept if part).lower()


def _with_path(raw: bytes, prefix: bytes, authority: Authority | None) -> Target:
    path, mark, query = raw.partition(b"?")
    # Of nearly all that are good, looking for what is bad takes three times as long.
    bad = None if PATH.fullmatch(path) else BAD_IN_PATH.search(path)
    if bad is not None:
        raise BadRequest(_path_flaw(bad[0], bad.start()))
    if PERCENT in path or path.find(b"/.") >= 0:
        _refuse_dot_segments(path)
    return _new_target(path, query if mark else None, prefix, authority)


def _path_flaw(seen: bytes, at: int) -> str:
    if seen == b"%":
        return f"the path has a '%' at byte {at} that two hex digits do not follow; send %25"
    return f"the path has '{show(seen)}' at byte {at}; send it as %{seen[0]:02X}"


def _refuse_dot_segments(path: bytes) -> None:
    """Refuse what a hop behind us could resolve (RFC 3986 section 5.2.4)."""
    for decoded in _decodings(path):
        for segment in _segments(decoded):
            if _is_dot_segment(segment):
                raise BadRequest(f"the path has the dot segment '{show(segment)}'")


def _is_dot_segment(segment: bytes) -> bool:
    if segment.partition(b";")[0] in (b".", b".."):
        return True
    # Some servers cut a name at NUL, or fail to decode over-long UTF-8 into a plain "..".
    return segment[:2] == b".." and len(segment) > 2 and (segment[2] == 0 or segment[2] > 0x7F)


def _decodings(path: bytes) -> Iterator[bytes]:
    """Yield the path as it is, and after each percent-decoding that changes it."""
    yield path
    for _ in range(_MAX_DECODINGS):
        decoded = unescape(path)
        if decoded == path:
            return
        yield decoded
        path = decoded


def _segments(decoded: bytes) -> list[bytes]:
    r"""Split at `/`, and at the `\` that some servers read as one."""
    return decoded.replace(b"\\", b"/").split(b"/")


def _is_ipv6(text: bytes) -> bool:
    try:
        ipaddress.IPv6Address(text.decode())
    except ValueError:
        return False
    return True
