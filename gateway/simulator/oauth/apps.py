"""The applications that the authorisation server knows: one with a secret, one without.

A confidential application proves itself with Basic and its secret. A public one (a browser)
has no secret: it names itself by `client_id` in the form, without an Authorization header.
Everything else is 401 `invalid_client` with OAU-146.

The constants are public on purpose: they open a simulator, nothing else.
"""

import base64
import binascii
from collections.abc import Mapping

from gateway.simulator.oauth.refusals import invalid_client
from gateway.simulator.reading import Wire

CLIENT_ID = "simulator-client"
CLIENT_SECRET = "simulator-secret"  # noqa: S105 - it opens a simulator, as TOKEN does
PUBLIC_CLIENT_ID = "simulator-browser"
JWT = "simulator-jwt"
APPS = frozenset({CLIENT_ID, PUBLIC_CLIENT_ID})


def identify_app(wire: Wire, form: Mapping[str, str]) -> str:
    """Return the id of the application that asks. Raises Fault."""
    headers = wire.fields("Authorization")
    named = form.get("client_id")
    if not headers and named == PUBLIC_CLIENT_ID:
        return PUBLIC_CLIENT_ID
    if len(headers) == 1 and named in (None, CLIENT_ID) and _proves(headers[0]):
        return CLIENT_ID
    raise invalid_client()


def _proves(header: str) -> bool:
    scheme, _, encoded = header.partition(" ")
    try:
        offered = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and offered == f"{CLIENT_ID}:{CLIENT_SECRET}"
