"""Which keys each grant needs, which it may have, and what is wrong with a table that differs.

A key that has no use is refused like an unknown one: whoever wrote it expects something
of it.

Rule: nothing here resolves a secret; `resolve` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config.section import Section

_AUTH = ("auth_limit", "auth_window_s", "auth_retry_s")
_SESSION = ("client_secret", "endpoint_id", "access_token_ttl", "refresh_token_ttl", *_AUTH)
_WRITE = {
    "token": 'write "env:NAME" or "file:/path"',
    "client_id": 'write "env:RC_APP_CLIENT_ID"',
    "jwt": 'write "env:RC_USER_JWT"',
    "username": 'write "env:NAME", or token = "env:NAME" when there is no login',
    "password": 'write "env:NAME" or "file:/path"',
}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a grant needs, and those that it may have besides."""

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


GRANTS = {
    "static": Keys(("token",)),
    "jwt": Keys(("client_id", "jwt"), _SESSION),
    "refresh_token": Keys(("client_id",), ("refresh_token", *_SESSION)),
    "ringcx": Keys((), ("source", *_AUTH)),
    "engage_legacy": Keys(("username", "password"), ("stay_logged_in", *_AUTH)),
    "passthrough": Keys(),
    "none": Keys(),
}
# A token that was configured needs no login.
_LEGACY_TOKEN = Keys(("token",))


def keys_of(grant: str, given: frozenset[str]) -> Keys:
    """Return the keys of a grant, for a table in which `given` are set."""
    if grant == "engage_legacy" and "token" in given:
        return _LEGACY_TOKEN
    return GRANTS[grant]


def given_keys(table: Section) -> frozenset[str]:
    """Return the keys of a table that do not have their default."""
    fields = type(table).model_fields
    return frozenset(
        name for name, value in table if name != "grant" and value != fields[name].default
    )


def misfits(grant: str, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield each key that is missing, or has no use with the grant, and what to do."""
    keys = keys_of(grant, given)
    for key in keys.needs:
        if key not in given:
            yield key, f"is missing; {_WRITE[key]}"
    for key in sorted(given - {*keys.needs, *keys.takes}):
        yield key, f'has no use with grant = "{grant}"; remove it'
