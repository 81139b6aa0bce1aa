"""Asking a simulator for tokens, over its socket."""

from typing import Any

from aiohttp import ClientSession, encode_basic_auth

from gateway.simulator import CLIENT_ID, CLIENT_SECRET, JWT, Running

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
BASIC = {"Authorization": encode_basic_auth(CLIENT_ID, CLIENT_SECRET)}
ACCOUNT = "/restapi/v1.0/account/~"

Document = dict[str, Any]


async def ask_token(
    running: Running, form: dict[str, str], headers: dict[str, str] | None = None
) -> tuple[int, Document]:
    """Call the token endpoint as the confidential application."""
    path = f"{running.origin}/restapi/oauth/token"
    given = BASIC if headers is None else headers
    async with ClientSession() as session, session.post(path, data=form, headers=given) as reply:
        return reply.status, await reply.json()


async def log_in(running: Running, **options: str) -> Document:
    """Begin a session with the JWT."""
    status, document = await ask_token(
        running, {"grant_type": JWT_BEARER, "assertion": JWT, **options}
    )
    assert status == 200, document
    return document


async def refresh(running: Running, token: str) -> tuple[int, Document]:
    """Use a refresh token."""
    return await ask_token(running, {"grant_type": "refresh_token", "refresh_token": token})


async def use(running: Running, access: str) -> tuple[int, str, str]:
    """Use an access token; return the status and both codes."""
    headers = {"Authorization": f"bearer {access}"}
    async with (
        ClientSession(headers=headers) as session,
        session.get(f"{running.origin}{ACCOUNT}") as reply,
    ):
        document = await reply.json()
        inner = document.get("errors", [{}])[0]
        return reply.status, document.get("errorCode", ""), inner.get("errorCode", "")
