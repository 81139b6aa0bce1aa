"""Whether a request may come in: one static token, checked as the vendor checks its own.

No credential at all is AGW-401 with a `Basic` challenge; a header that is not one Bearer
value is AGW-402; an unknown token is TokenInvalid over OAU-149 with a `Bearer` challenge.
The scheme counts in any letter case, because the vendor issues `token_type: "bearer"` and
clients echo it. Without the header the query's `access_token` counts, as documented; which
of the two wins when both are present is not documented, here it is the header.
"""

import hmac

from gateway.simulator.faults import Fault
from gateway.simulator.reading import Reading

REALM = "RingCentral REST API"


def check_token(reading: Reading, token: str) -> None:
    """Return when the request carries `token`. Raises Fault."""
    offered = _offered(reading)
    if not hmac.compare_digest(offered.encode("utf-8", "replace"), token.encode("utf-8")):
        raise _unknown_token()


def _offered(reading: Reading) -> str:
    headers = reading.wire.fields("Authorization")
    if not headers:
        return _from_query(reading)
    scheme, _, value = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not value.strip():
        raise _malformed_header()
    return value.strip()


def _from_query(reading: Reading) -> str:
    for name, value in reading.query:
        if name == "access_token":
            return value
    raise Fault(
        401,
        "AGW-401",
        "Authorization header is not specified",
        headers={"WWW-Authenticate": f'Basic realm="{REALM}"'},
    )


def _malformed_header() -> Fault:
    challenge = f'Bearer realm="{REALM}", error="invalid_request"'
    headers = {"WWW-Authenticate": challenge}
    return Fault(401, "AGW-402", "Invalid Authorization header", headers=headers)


def _unknown_token() -> Fault:
    message = "OAuth token is invalid"
    challenge = f'Bearer realm="{REALM}", error="invalid_token", error_description="{message}"'
    return Fault(
        401,
        "TokenInvalid",
        message,
        inner_code="OAU-149",
        headers={"WWW-Authenticate": challenge},
    )
