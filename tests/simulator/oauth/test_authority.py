"""The authorisation server over its socket."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import ClientSession

from gateway.simulator import PUBLIC_CLIENT_ID, TOKEN, Running, start
from gateway.simulator.forms import FORM_TYPE
from tests.simulator.asking import (
    ACCOUNT,
    BASIC,
    JWT_BEARER,
    ask_token,
    log_in,
    refresh,
    use,
)

OAUTH = "/restapi/oauth"
BACK = "http://127.0.0.1:9/back"


async def test_a_login_opens_the_api_and_may_not_be_cached(simulator: Running) -> None:
    document = await log_in(simulator, endpoint_id="e")
    assert (document["token_type"], document["expires_in"]) == ("bearer", 3600)
    assert await use(simulator, document["access_token"]) == (200, "", "")


async def test_the_static_token_stays_good(simulator: Running, now: list[float]) -> None:
    simulator.control.expire()
    simulator.control.expire("sessions")
    now[0] = 1e9
    assert (await use(simulator, TOKEN))[0] == 200


async def test_every_dead_token_has_its_own_body(simulator: Running, now: list[float]) -> None:
    first = await log_in(simulator, endpoint_id="e")
    now[0] = 3600
    assert await use(simulator, first["access_token"]) == (401, "OAU-128", "OAU-128")
    status, second = await refresh(simulator, first["refresh_token"])
    assert status == 200
    assert await use(simulator, first["access_token"]) == (401, "OAU-129", "OAU-129")
    assert await use(simulator, first["access_token"]) == (401, "OAU-213", "OAU-213")
    await log_in(simulator, endpoint_id="e")
    assert await use(simulator, second["access_token"]) == (401, "OAU-213", "OAU-213")
    assert await use(simulator, "x") == (401, "TokenInvalid", "OAU-149")


async def test_a_lost_answer_is_given_again_and_then_no_more(
    simulator: Running, now: list[float]
) -> None:
    first = await log_in(simulator)
    _, second = await refresh(simulator, first["refresh_token"])
    now[0] = 3599
    assert await refresh(simulator, first["refresh_token"]) == (
        200,
        {**second, "expires_in": 1, "refresh_token_expires_in": 604800 - 3599},
    )
    await use(simulator, second["access_token"])
    now[0] += 10
    status, document = await refresh(simulator, first["refresh_token"])
    assert (status, document["error"]) == (400, "invalid_grant")
    assert document["errors"][0]["errorCode"] == "OAU-210"
    assert document["error_description"] == "Token expired"


async def test_the_sixth_session_ends_the_first(simulator: Running, now: list[float]) -> None:
    logins = []
    for number in range(6):
        now[0] += 60
        logins.append(await log_in(simulator, endpoint_id=str(number)))
    statuses = [(await use(simulator, login["access_token"]))[0] for login in logins]
    assert statuses == [401, 200, 200, 200, 200, 200]
    assert simulator.control.report()["sessions_active"] == 5


async def test_a_wrong_application_is_refused_and_counts_for_nobody(simulator: Running) -> None:
    login = {"grant_type": JWT_BEARER, "assertion": "x"}
    for _ in range(6):
        status, document = await ask_token(simulator, login, {})
        assert (status, document["error"]) == (401, "invalid_client")
        assert document["errors"][0]["errorCode"] == "OAU-146"
    await log_in(simulator)


async def test_the_sixth_call_of_a_minute_is_turned_away_until_there_is_peace(
    simulator: Running, now: list[float]
) -> None:
    path = f"{simulator.origin}{OAUTH}/token"
    form = {"grant_type": "nothing"}
    seen = []
    async with ClientSession(headers=BASIC) as session:
        for at in (0, 1, 2, 3, 4, 5, 64, 123, 183):
            now[0] = at
            async with session.post(path, data=form) as reply:
                document = await reply.json()
                left = reply.headers["X-Rate-Limit-Remaining"]
                seen.append((reply.status, left, reply.headers.get("Retry-After")))
                if reply.status == 429:
                    assert document["errorCode"] == "CMN-301"
                    assert document["errors"][0]["message"] == "Request rate exceeded"
                assert reply.headers["X-Rate-Limit-Group"] == "auth"
                assert reply.headers["X-Rate-Limit-Window"] == "60"
    assert seen == [
        *((400, str(left), None) for left in (4, 3, 2, 1, 0)),
        *[(429, "0", "60")] * 3,
        (400, "4", None),
    ]


async def test_each_application_has_its_own_calls(simulator: Running) -> None:
    public = {"client_id": PUBLIC_CLIENT_ID, "grant_type": "nothing"}
    for _ in range(5):
        await ask_token(simulator, public, {})
    assert (await ask_token(simulator, public, {}))[0] == 429
    await log_in(simulator)


async def test_another_limit_of_calls_may_be_given() -> None:
    started = await start(limits={"Auth": 7})
    try:
        # What is refused counts as well.
        given = [(await ask_token(started, {"grant_type": "x"}))[0] for _ in range(8)]
    finally:
        await started.close()
    assert given == [400] * 7 + [429]


async def test_a_time_scale_shortens_what_is_said() -> None:
    running = await start(time_scale=600, clock=lambda: 0.0)
    path = f"{running.origin}{OAUTH}/token"
    async with ClientSession(headers=BASIC) as session:
        waits = []
        for _ in range(6):
            async with session.post(path, data={"grant_type": "x"}) as reply:
                assert reply.headers["X-Rate-Limit-Window"] == "0.1"
                waits.append(reply.headers.get("Retry-After"))
    await running.close()
    assert waits == [*[None] * 5, "0.1"]


@pytest.mark.parametrize("where", ["query", "form"])
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_ends_the_whole_session(simulator: Running, where: str, which: str) -> None:
    document = await log_in(simulator)
    path, form = f"{simulator.origin}{OAUTH}/revoke", {"token": document[which]}
    async with ClientSession(headers=BASIC) as session:
        if where == "query":
            sent = session.post(f"{path}?{urlencode(form)}")
        else:
            sent = session.post(path, data=form)
        async with sent as reply:
            assert (reply.status, await reply.read()) == (200, b"")
    assert await use(simulator, document["access_token"]) == (401, "OAU-213", "OAU-213")
    assert (await refresh(simulator, document["refresh_token"]))[0] == 400


@pytest.mark.parametrize(
    ("headers", "query", "form", "status"),
    [
        (BASIC, "", {"token": "unknown"}, 200),
        (BASIC, "?token=a", {"token": "a"}, 200),
        (BASIC, "?token=a", {"token": "b"}, 400),
        (BASIC, "", {}, 400),
        ({}, "?token=a", {}, 401),
        ({}, "?token=a", {"client_id": PUBLIC_CLIENT_ID}, 200),
    ],
)
async def test_what_revoking_wants(
    simulator: Running, headers: dict[str, str], query: str, form: dict[str, str], status: int
) -> None:
    path = f"{simulator.origin}{OAUTH}/revoke{query}"
    sent = {**headers, "Content-Type": FORM_TYPE}
    body = urlencode(form)
    async with (
        ClientSession() as session,
        session.post(path, data=body, headers=sent) as reply,
    ):
        assert reply.status == status


async def test_a_code_is_got_by_pressing_the_button(simulator: Running) -> None:
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": PUBLIC_CLIENT_ID,
        "redirect_uri": BACK,
        "state": "st",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    path = f"{simulator.origin}{OAUTH}/authorize?{urlencode(asked)}"
    async with ClientSession() as browser:
        async with browser.get(path) as reply:
            assert "Sign in" in await reply.text()
        async with browser.post(path, data={"login": "no"}) as reply:
            assert reply.status == 200
        async with browser.post(path, data={"login": "yes"}, allow_redirects=False) as reply:
            assert reply.status == 302
            location = reply.headers["Location"]
    back = parse_qs(urlsplit(location).query)
    assert location.startswith(BACK)
    assert back["state"] == ["st"]
    form = {
        "grant_type": "authorization_code",
        "code": back["code"][0],
        "redirect_uri": BACK,
        "client_id": PUBLIC_CLIENT_ID,
        "code_verifier": verifier,
    }
    status, document = await ask_token(simulator, form, {})
    assert (status, (await use(simulator, document["access_token"]))[0]) == (200, 200)
    assert (await ask_token(simulator, form, {}))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "token", "POST"),
        ("POST", "token?_method=DELETE", "POST"),
        ("GET", "revoke", "POST"),
        ("PUT", "authorize", "GET, HEAD, POST"),
    ],
)
async def test_a_method_that_an_endpoint_has_not_is_a_405(
    simulator: Running, method: str, path: str, allowed: str
) -> None:
    async with (
        ClientSession() as session,
        session.request(method, f"{simulator.origin}{OAUTH}/{path}") as reply,
    ):
        assert (reply.status, reply.headers["Allow"]) == (405, allowed)


async def test_no_header_is_still_no_header(simulator: Running) -> None:
    async with ClientSession() as session, session.get(f"{simulator.origin}{ACCOUNT}") as reply:
        assert (await reply.json())["errorCode"] == "AGW-401"
