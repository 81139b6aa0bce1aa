"""Does an answer say that the token was not good: the codes that a newer token mends.

Placeholder for the table.
"""

import re

from gateway.core.headers import Fields

_CODE = re.compile(rb'"errorCode"\s*:\s*"([A-Za-z0-9-]{1,40})"')
CODES = frozenset({b"OAU-128", b"OAU-129", b"OAU-149", b"OAU-213", b"TokenInvalid"})
_EXPIRED = re.compile(rb"\bexpired\b", re.IGNORECASE)


def speaks_of_token(status: int, fields: Fields, body: bytes) -> bool:
    """Tell."""
    if status != 401:
        return False
    if CODES & {*_CODE.findall(body)}:
        return True
    return not body.lstrip().startswith(b"{") and bool(_EXPIRED.search(body))
