"""The credential of a request, found as the vendor finds it.

No credential at all is AGW-401 with a `Basic` challenge; a header that is not one Bearer
value is AGW-402. The scheme counts in any letter case, because the vendor issues
`token_type: "bearer"` and clients echo it. Without the header the query's `access_token`
counts, as documented; which of the two wins when both are present is not documented, here
it is the header. What the token is worth is for `oauth.sessions` to say.
"""

from gateway.simulator.faults import Fault
from gateway.simulator.reading import Reading

REALM = "RingCentral REST API"


def find_token(reading: Reading) -> str:
    """Return the access token that a request carries. Raises Fault."""
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
