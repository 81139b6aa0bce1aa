"""Engage's legacy API over its socket."""

from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.simulator import LEGACY_PASSWORD, LEGACY_TOKEN, LEGACY_USERNAME, Running

LOGIN = "/api/v1/auth/login"
ACCOUNTS = "/api/v1/admin/accounts"
TOKENS = "/api/v1/admin/token"
GOOD = {"username": LEGACY_USERNAME, "password": LEGACY_PASSWORD}


async def _send(
    running: Running, method: str, path: str, token: str = "", form: dict[str, str] | None = None
) -> tuple[int, Any]:
    headers = {"X-Auth-Token": token} if token else {}
    async with (
        ClientSession(running.origin) as session,
        session.request(method, path, headers=headers, data=form) as reply,
    ):
        is_json = reply.content_type == "application/json"
        return reply.status, await (reply.json() if is_json else reply.text())


async def _log_in(running: Running, **more: str) -> str:
    status, document = await _send(running, "POST", LOGIN, form={**GOOD, **more})
    assert status == 200
    assert document["platformHost"] == running.origin
    assert document["accounts"][0]["accountId"] == "15300002"
    token: str = document["authToken"]
    return token


async def test_a_login_opens_the_resources(simulator: Running) -> None:
    status, accounts = await _send(simulator, "GET", ACCOUNTS, await _log_in(simulator))
    assert (status, accounts[0]["accountId"]) == (200, "15300002")


@pytest.mark.parametrize(
    ("more", "life_s"), [({}, 3600), ({"stayLoggedIn": "true"}, 14 * 24 * 3600)]
)
async def test_a_token_slides_with_each_use(
    simulator: Running, now: list[float], more: dict[str, str], life_s: int
) -> None:
    token = await _log_in(simulator, **more)
    for _ in range(3):
        now[0] += life_s - 1
        assert (await _send(simulator, "GET", ACCOUNTS, token))[0] == 200
    now[0] += life_s
    status, document = await _send(simulator, "GET", ACCOUNTS, token)
    assert (status, document["generalMessage"]) == (401, "Auth token is expired")
    assert document["requestUri"] == f"{ACCOUNTS} - GET"


@pytest.mark.parametrize("token", ["", "x"])
async def test_without_a_good_token_nothing_opens(simulator: Running, token: str) -> None:
    status, document = await _send(simulator, "GET", ACCOUNTS, token)
    assert (status, document["errorCode"]) == (401, "access.denied.exception")


async def test_a_permanent_token_outlives_everything(simulator: Running, now: list[float]) -> None:
    simulator.control.expire()
    now[0] = 1e9
    assert (await _send(simulator, "GET", ACCOUNTS, LEGACY_TOKEN))[0] == 200


async def test_every_post_makes_another_permanent_token_and_is_counted(simulator: Running) -> None:
    token = await _log_in(simulator)
    made = [(await _send(simulator, "POST", TOKENS, token))[1] for _ in range(2)]
    assert await _send(simulator, "GET", TOKENS, made[0]) == (200, [LEGACY_TOKEN, *made])
    assert simulator.control.report()["permanent_tokens_made"] == 2
    assert await _send(simulator, "DELETE", f"{TOKENS}/{made[0]}", token) == (204, "")
    assert (await _send(simulator, "GET", ACCOUNTS, made[0]))[0] == 401
    assert (await _send(simulator, "DELETE", f"{TOKENS}/{made[0]}", token))[0] == 404
    assert made[0] not in str(simulator.control.report())


@pytest.mark.parametrize(
    ("method", "path", "form", "status"),
    [
        ("GET", LOGIN, None, 405),
        ("POST", LOGIN, {**GOOD, "password": "x"}, 401),
        ("POST", f"{LOGIN}?password=x", {"username": LEGACY_USERNAME}, 400),
        ("POST", LOGIN, None, 400),
        ("PUT", TOKENS, None, 405),
        ("GET", f"{TOKENS}/x", None, 405),
        ("GET", "/api/v1/nothing", None, 404),
    ],
)
async def test_what_is_not_served_is_refused(
    simulator: Running, method: str, path: str, form: dict[str, str] | None, status: int
) -> None:
    got, document = await _send(simulator, method, path, LEGACY_TOKEN, form)
    assert (got, document["requestUri"]) == (status, f"{path.partition('?')[0]} - {method}")
