"""OpenID Connect: who owns the token, and where the authorisation server is.

The endpoints named in the configuration are absolute, on the host the request was
addressed by, so there is something to rewrite. No id_token is ever made, so the key set is
empty. The configuration and the keys are open to everybody; `operations` says so.
"""

from collections.abc import Mapping

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import Document
from gateway.simulator.reading import Reading
from gateway.simulator.world import ACCOUNT_ID, EXTENSION_ID, World


def read_owner(_: World, __: Reading, ___: Mapping[str, str]) -> Answer:
    """Answer the claims about the owner of the token."""
    document: Document = {
        "sub": str(EXTENSION_ID),
        "account_id": str(ACCOUNT_ID),
        "name": "Ada Byron",
        "given_name": "Ada",
        "family_name": "Byron",
        "email": "ada@example.com",
        "locale": "en-US",
        "zoneinfo": "America/Los_Angeles",
    }
    return render_document(document)


def read_configuration(_: World, reading: Reading, __: Mapping[str, str]) -> Answer:
    """Answer where the endpoints are."""
    oauth = f"{reading.origin}/restapi/oauth"
    document: Document = {
        "issuer": reading.origin,
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "revocation_endpoint": f"{oauth}/revoke",
        "userinfo_endpoint": f"{oauth}/userinfo",
        "jwks_uri": f"{oauth}/jwks",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
    }
    return render_document(document)


def read_keys(_: World, __: Reading, ___: Mapping[str, str]) -> Answer:
    """Answer the empty key set."""
    return render_document({"keys": []})
