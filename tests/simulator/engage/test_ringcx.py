"""RingCX over its socket."""

from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, Running
from tests.simulator.asking import log_in, refresh

LOGIN = "/api/auth/login/rc/accesstoken"
REFRESH = "/api/auth/token/refresh"
ACCOUNTS = "/voice/api/v1/admin/accounts"
SUMMARY = "/voice/api/v1/summary/accounts/15300002/segments/7"

Headers = dict[str, str]


async def _send(
    running: Running,
    method: str,
    path: str,
    headers: Headers | None = None,
    data: dict[str, str] | None = None,
) -> tuple[int, str, Any]:
    async with (
        ClientSession(running.origin) as session,
        session.request(method, path, headers=headers, data=data) as reply,
    ):
        is_json = reply.content_type == "application/json"
        return reply.status, reply.content_type, await (reply.json() if is_json else reply.text())


async def _exchange(running: Running, token: str, query: str = "?includeRefresh=true") -> Any:
    form = {"rcAccessToken": token, "rcTokenType": "Bearer"}
    return await _send(running, "POST", LOGIN + query, data=form)


def _bearer(document: Any) -> Headers:
    return {"Authorization": f"Bearer {document['accessToken']}"}


async def test_a_ringcentral_token_becomes_a_ringcx_token(simulator: Running) -> None:
    rc = await log_in(simulator)
    status, _, document = await _exchange(simulator, rc["access_token"])
    assert (status, document["tokenType"]) == (200, "Bearer")
    assert document["refreshToken"]
    assert document["mainAccountId"] == "15300001"
    assert document["agentDetails"][0]["accountId"] == "15300002"
    status, _, accounts = await _send(simulator, "GET", ACCOUNTS, _bearer(document))
    assert (status, accounts[0]["mainAccountId"]) == (200, "15300001")
    assert simulator.control.report()["ringcx_sessions_made"] == 1


async def test_the_exchange_is_a_use_of_the_ringcentral_token(
    simulator: Running, now: list[float]
) -> None:
    first = await log_in(simulator)
    _, second = await refresh(simulator, first["refresh_token"])
    await _exchange(simulator, second["access_token"])
    now[0] = 10
    assert (await refresh(simulator, first["refresh_token"]))[0] == 400


async def test_the_static_token_can_be_exchanged_without_a_chain(simulator: Running) -> None:
    status, _, document = await _exchange(simulator, TOKEN, "")
    assert (status, document["refreshToken"]) == (200, None)


async def test_a_ringcentral_token_that_is_over_cannot(simulator: Running) -> None:
    rc = await log_in(simulator)
    simulator.control.expire("platform")
    status, _, document = await _exchange(simulator, rc["access_token"])
    assert (status, document["errorCode"]) == (401, "access.denied.exception")
    assert document["requestUri"] == f"{LOGIN} - POST"


@pytest.mark.parametrize("token", [TOKEN, "x", ""])
async def test_the_ringcentral_token_itself_opens_nothing(simulator: Running, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    status, kind, document = await _send(simulator, "GET", ACCOUNTS, headers)
    assert (status, kind) == (401, "application/json")
    assert document["requestUri"] == f"{ACCOUNTS} - GET"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"X-Auth-Token": "x"}])
async def test_without_a_bearer_nothing_opens(simulator: Running, headers: Headers) -> None:
    status, _, document = await _send(simulator, "GET", ACCOUNTS, headers)
    assert (status, document["generalMessage"]) == (401, "Full authentication is required")


async def test_a_token_is_over_after_five_minutes_and_says_so_in_plain_text(
    simulator: Running, now: list[float]
) -> None:
    _, _, document = await _exchange(simulator, TOKEN)
    now[0] = 299
    assert (await _send(simulator, "GET", ACCOUNTS, _bearer(document)))[0] == 200
    now[0] = 300
    expired = (401, "text/plain", "Jwt is expired")
    assert await _send(simulator, "GET", ACCOUNTS, _bearer(document)) == expired


async def test_a_chain_goes_on_and_each_link_works_once(
    simulator: Running, now: list[float]
) -> None:
    _, _, first = await _exchange(simulator, TOKEN)
    now[0] = 300
    form = {"refresh_token": first["refreshToken"]}
    status, _, second = await _send(simulator, "POST", REFRESH, data=form)
    assert status == 200
    assert second["refreshToken"] != first["refreshToken"]
    assert (await _send(simulator, "GET", ACCOUNTS, _bearer(second)))[0] == 200
    status, _, document = await _send(simulator, "POST", REFRESH, data=form)
    assert (status, document["errorCode"]) == (401, "access.denied.exception")


async def test_five_exchanges_a_minute_and_refreshes_besides(
    simulator: Running, now: list[float]
) -> None:
    logins = [await _exchange(simulator, TOKEN) for _ in range(5)]
    assert [status for status, _, _ in logins] == [200] * 5
    async with ClientSession(simulator.origin) as session:
        form = {"rcAccessToken": TOKEN, "rcTokenType": "Bearer"}
        async with session.post(LOGIN, data=form) as reply:
            assert reply.status == 429
            assert "Retry-After" not in reply.headers
            assert "X-Rate-Limit-Group" not in reply.headers
    form = {"refresh_token": logins[0][2]["refreshToken"]}
    assert (await _send(simulator, "POST", REFRESH, data=form))[0] == 200
    now[0] = 60
    assert (await _exchange(simulator, TOKEN))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "form", "status"),
    [
        ("GET", LOGIN, None, 405),
        ("POST", f"{LOGIN}?rcAccessToken=x", {"rcTokenType": "Bearer"}, 400),
        ("POST", LOGIN, {"rcAccessToken": TOKEN}, 400),
        ("POST", LOGIN, None, 400),
        ("POST", "/api/auth/logout/x", {"a": "b"}, 404),
    ],
)
async def test_what_is_no_token_call_is_refused(
    simulator: Running, method: str, path: str, form: dict[str, str] | None, status: int
) -> None:
    got, kind, _ = await _send(simulator, method, path, data=form)
    assert (got, kind) == (status, "application/json")


@pytest.mark.parametrize("kind", ["agent", "auto"])
async def test_a_summary_takes_the_cookie_and_nothing_else(simulator: Running, kind: str) -> None:
    _, _, document = await _exchange(simulator, TOKEN)
    path, token = f"{SUMMARY}/{kind}", document["accessToken"]
    cookie = {"Cookie": f"a=b; access_token={token}"}
    status, shown, text = await _send(simulator, "GET", path, cookie)
    assert (status, shown) == (200, "text/plain")
    assert "callback" in text
    refused = [
        _bearer(document),
        {**_bearer(document), **cookie},
        {"Cookie": "access_token=x"},
        {"Cookie": f"{cookie['Cookie']}; access_token={token}"},
        {},
    ]
    assert [(await _send(simulator, "GET", path, headers))[0] for headers in refused] == [401] * 5
    assert (await _send(simulator, "POST", path, cookie))[0] == 405
    assert (await _send(simulator, "GET", ACCOUNTS, cookie))[0] == 401
    simulator.control.expire("ringcx")
    assert await _send(simulator, "GET", path, cookie) == (401, "text/plain", "Jwt is expired")


async def test_a_tunnel_that_was_not_undone_grants_the_role(simulator: Running) -> None:
    _, _, document = await _exchange(simulator, TOKEN)
    path = "/voice/api/v1/admin/users/1790/roles/ADMIN"
    tunnel = {**_bearer(document), "X-HTTP-Method-Override": "DELETE"}
    _, _, roles = await _send(simulator, "POST", f"{path}?_method=PUT", tunnel)
    assert [role["roleType"] for role in roles] == ["ADMIN", "AGENT"]
    assert simulator.seen[-1].effective == "POST"
    _, _, roles = await _send(simulator, "DELETE", path, _bearer(document))
    assert [role["roleType"] for role in roles] == ["AGENT"]


@pytest.mark.parametrize("path", ["/voice/api/v2/admin/accounts", "/voice/api", "/voice/x"])
async def test_anything_else_is_missing(simulator: Running, path: str) -> None:
    _, _, document = await _exchange(simulator, TOKEN)
    status, _, error = await _send(simulator, "PATCH", path, _bearer(document))
    assert (status, error["requestUri"]) == (404, f"{path} - PATCH")
