"""The URL of a proxy: `http://host:port`.

In the configuration it has no user name or password, because a URL is shown and logged;
they are a reference, `proxy_auth`. The environment's `HTTPS_PROXY` usually has them, so
there they are taken, as a `Secret`.

Rule: no message shows more of a URL than its scheme; the rest may be a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.config.host_names import find_name_flaw
from gateway.core.grammar import unescape
from gateway.core.secret import Secret
from gateway.core.target import Authority, parse_authority
from gateway.errors import BadRequest

FORM = '"http://host:port"'
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://)?(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#@]*)/?"
)
# RFC 9110 section 4.2.1: the default of the scheme.
_PORT = 80


@dataclass(frozen=True, slots=True)
class ProxyUrl:
    """Where a proxy is, IPv6 in brackets, and the "user:password" in its URL."""

    host: str
    port: int
    userinfo: Secret | None = None


def parse_proxy(text: str) -> ProxyUrl:
    """Read the URL of a proxy as environments have it, or raise `ValueError` with why not.

    Programs take `host:port` too, and a slash at the end.
    """
    url = _URL.fullmatch(text)
    if url is None:
        raise ValueError(f"is not the URL of a proxy; write {FORM}")
    if (url["scheme"] or "http").lower() != "http":
        scheme = url["scheme"][:20].lower()
        raise ValueError(
            f"asks for {scheme}:// to the proxy, which is not supported; write {FORM} "
            "(what goes through it is encrypted to its destination all the same)"
        )
    authority = _read_authority(url["host"])
    if authority is None:
        raise ValueError(f"has no host name or address where one belongs; write {FORM}")
    userinfo = None if url["user"] is None else _read_userinfo(url["user"])
    return ProxyUrl(authority.host.decode(), authority.port or _PORT, userinfo)


def check_proxy(text: str) -> str:
    """Return the text of `upstreams.NAME.proxy`, or raise `ValueError` with what to write."""
    if not text:
        return text
    if "@" in text:
        raise ValueError(
            f"the URL of a proxy carries no user name or password here; write {FORM}, "
            'and proxy_auth = "env:NAME" beside it'
        )
    if not text.lower().startswith("http://"):
        scheme = "https" if text.lower().startswith("https://") else ""
        reason = "TLS to the proxy itself is not supported" if scheme else "it starts with http://"
        raise ValueError(f"{reason}; write {FORM}")
    try:
        parse_proxy(text)
    except ValueError as error:
        raise ValueError(f"the value {error}") from None
    return text


def _read_authority(text: str) -> Authority | None:
    try:
        authority = parse_authority(text.encode("ascii"))
    except (BadRequest, UnicodeEncodeError):
        return None
    return None if find_name_flaw(authority.host.decode()) else authority


def _read_userinfo(text: str) -> Secret:
    """Return "user:password" with its escapes read (RFC 3986 section 3.2.1)."""
    user, _, password = text.partition(":")
    raw = (unescape(part.encode("utf-8", "surrogateescape")) for part in (user, password))
    return Secret(b":".join(raw))
