"""Does a 401 speak of the token, so that a new one could help.

The vendor answers 401 for many reasons, and most of them a new token does not mend:
wrong client credentials, a missing permission, no header at all. Asking for a token after
each of those would spend the few token calls that a minute allows.

Rule 1: a code for which no token helps outweighs every other one beside it. The codes of
        RingCX and the legacy portals do not tell; there the words beside them do.
Rule 2: codes are read by their pattern, bounded, because a rejection is not a document.
Rule 3: the body is given as the upstream meant it: decompressed, or empty if it cannot be.
"""

from __future__ import annotations

import re

from gateway.core.headers import Fields, values_of

TOKEN_CODES = frozenset({b"OAU-128", b"OAU-129", b"OAU-149", b"OAU-213", b"TokenInvalid"})
OTHER_CODES = frozenset(
    {
        *(b"AGW-401", b"CMN-405"),
        *(b"OAU-123", b"OAU-125", b"OAU-127", b"OAU-141", b"OAU-142", b"OAU-146", b"OAU-168"),
    }
)

# The vendor's error bodies have a few hundred bytes.
_MOST_BYTES = 16384
_CODE = re.compile(rb'"errorCode"\s{0,16}:\s{0,16}"([^"\\]{1,64})"')
# Theirs are words with dots: `access.denied.exception`, whatever it is that is not good.
_ENGAGE_CODE = re.compile(rb"[a-z]+(?:\.[a-z]+)+")
# Not in every member: `requestUri` has what the caller asked for.
_SAYS_EXPIRED = re.compile(
    rb'"(?:generalMessage|details|developerMessage)"\s{0,16}:\s{0,16}"[^"\\]{0,256}\bexpired\b',
    re.IGNORECASE,
)
# RingCX: "Jwt is expired", and "JWT is expired." in its description.
_EXPIRED = re.compile(rb"\bexpired\b", re.IGNORECASE)
# RFC 6750 section 3.1.
_INVALID_TOKEN = re.compile(rb'(?:^|[\s,])error\s*=\s*(?:"invalid_token"|invalid_token\b)', re.I)


def speaks_of_token(status: int, fields: Fields, body: bytes) -> bool:
    """Tell whether an answer rejects the access token itself; `body` may be its beginning."""
    if status != 401:
        return False
    beginning = body[:_MOST_BYTES]
    codes = frozenset(_CODE.findall(beginning))
    if codes:
        if all(map(_ENGAGE_CODE.fullmatch, codes)):
            return _SAYS_EXPIRED.search(beginning) is not None
        return not codes.isdisjoint(TOKEN_CODES) and codes.isdisjoint(OTHER_CODES)
    if _is_text(fields) and _EXPIRED.search(beginning):
        return True
    return any(_INVALID_TOKEN.search(value) for value in values_of(fields, b"www-authenticate"))


def _is_text(fields: Fields) -> bool:
    types = values_of(fields, b"content-type")
    return bool(types) and types[0].partition(b";")[0].strip().lower() == b"text/plain"
