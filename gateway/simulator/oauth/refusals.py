"""What the authorisation server says when it says no.

An OAuth error has the fields of RFC 6749 and the vendor's `errors` beside them. Documented
are `invalid_client` with OAU-146 and `invalid_grant` with OAU-210; the codes of the others
are inferred.

What a dead or unknown access token gets elsewhere is here as well: OAU-128 when it has
expired, OAU-129 and then OAU-213 when a refresh has replaced it, OAU-213 when its session
is gone, TokenInvalid over OAU-149 when it is no token at all.
"""

from gateway.simulator.faults import Document, Fault
from gateway.simulator.tokens import REALM


class OAuthFault(Fault):
    """A refusal in the shape of RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, code: str, message: str) -> None:
        """Keep the parts."""
        super().__init__(status, code, message)
        self.error = error

    def document(self) -> Document:
        """Render the body of the answer."""
        inner: Document = {"errorCode": self.code, "message": self.message}
        return {"error": self.error, "errors": [inner], "error_description": self.message}


def invalid_client() -> OAuthFault:
    """Make the 401 for an application that is not known or has another secret."""
    fault = OAuthFault(401, "invalid_client", "OAU-146", "Invalid client credentials")
    fault.headers["WWW-Authenticate"] = f'Basic realm="{REALM}"'
    return fault


def invalid_grant(message: str = "Token expired") -> OAuthFault:
    """Make the 400 for a grant that is used up, expired, unknown or another's."""
    return OAuthFault(400, "invalid_grant", "OAU-210", message)


def invalid_request(name: str) -> OAuthFault:
    """Make the 400 for a parameter that is absent or cannot be used."""
    message = f"Parameter [{name}] value is invalid"
    return OAuthFault(400, "invalid_request", "CMN-101", message)


def unsupported_grant() -> OAuthFault:
    """Make the 400 for a grant type that is not offered."""
    return OAuthFault(400, "unsupported_grant_type", "OAU-250", "Unsupported grant type")


def unparsable_token() -> Fault:
    """Make the 401 for a value that is no token of ours."""
    return _dead_token("TokenInvalid", "OAuth token is invalid", inner_code="OAU-149")


def expired_token() -> Fault:
    """Make the 401 for a token whose time is over."""
    return _dead_token("OAU-128", "Access token expired")


def corrupted_token() -> Fault:
    """Make the 401 for a token that was replaced a moment ago."""
    return _dead_token("OAU-129", "Access token corrupted")


def missing_token() -> Fault:
    """Make the 401 for a token whose session is gone."""
    return _dead_token("OAU-213", "Token not found")


def _dead_token(code: str, message: str, inner_code: str = "") -> Fault:
    challenge = f'Bearer realm="{REALM}", error="invalid_token", error_description="{message}"'
    headers = {"WWW-Authenticate": challenge}
    return Fault(401, code, message, inner_code=inner_code, headers=headers)
