"""The control endpoint over its socket."""

import asyncio
import json

import pytest
from aiohttp import ClientSession, ServerDisconnectedError

from gateway.simulator import TOKEN, Running
from gateway.simulator.control.desk import Control, Levers
from gateway.simulator.control.endpoint import Endpoint
from gateway.simulator.pace import Pace
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Wire, parse_wire
from gateway.simulator.service import Service
from tests.simulator.asking import ask_token, log_in, refresh, use

DESK = "/-/simulator"


async def _desk(
    running: Running, action: str, method: str = "POST"
) -> tuple[int, dict[str, object]]:
    path = f"{running.origin}{DESK}/{action}"
    async with ClientSession() as session, session.request(method, path) as reply:
        return reply.status, await reply.json()


async def test_what_was_seen_is_told_without_a_token(simulator: Running) -> None:
    document = await log_in(simulator)
    await use(simulator, document["access_token"])
    await use(simulator, "x")
    status, report = await _desk(simulator, "seen", "GET")
    latest = report.pop("latest_requests")
    assert status == 200
    assert report == {
        "token_calls": {"jwt": {"200": 1}},
        "token_calls_limited": 0,
        "requests_by_status": {"200": 1, "401": 1},
        "arrivals": {},
        "requests_refused": {},
        "requests_in_penalty": 0,
        "penalties_begun": 0,
        "sessions_made": 1,
        "sessions_active": 1,
        "ringcx_sessions_made": 0,
        "permanent_tokens_made": 0,
        "held": 0,
        "troubles_pending": 0,
    }
    assert isinstance(latest, list)
    assert latest[0]["path"] == "/restapi/oauth/token"
    assert document["access_token"] not in json.dumps(latest)
    assert len(simulator.seen) == 3


async def test_access_tokens_are_expired_and_refresh_tokens_are_not(simulator: Running) -> None:
    document = await log_in(simulator)
    await _desk(simulator, "expire")
    assert await use(simulator, document["access_token"]) == (401, "OAU-128", "OAU-128")
    assert (await use(simulator, TOKEN))[0] == 200
    assert (await refresh(simulator, document["refresh_token"]))[0] == 200
    await _desk(simulator, "expire?kind=sessions")
    assert (await refresh(simulator, document["refresh_token"]))[0] == 400


async def test_the_next_token_calls_fail_and_are_not_carried_out(simulator: Running) -> None:
    document = await log_in(simulator)
    _, report = await _desk(simulator, "fail?count=2&status=503&retry_after=7")
    assert report["troubles_pending"] == 2
    for _ in range(2):
        status, failure = await refresh(simulator, document["refresh_token"])
        assert (status, failure["errorCode"]) == (503, "CMN-201")
    assert await use(simulator, document["access_token"]) == (200, "", "")
    assert (await refresh(simulator, document["refresh_token"]))[0] == 200
    _, report = await _desk(simulator, "seen", "GET")
    assert report["token_calls"] == {"jwt": {"200": 1}, "refresh_token": {"503": 2, "200": 1}}


@pytest.mark.parametrize(
    ("asked", "status", "code", "retry_after"),
    [
        ("fail?status=429&retry_after=9", 429, "CMN-301", "9"),
        ("fail?status=500", 500, "CMN-203", None),
    ],
)
async def test_a_failure_has_the_status_and_the_wait_that_were_asked_for(
    simulator: Running, asked: str, status: int, code: str, retry_after: str | None
) -> None:
    await _desk(simulator, asked)
    path = f"{simulator.origin}/restapi/oauth/token"
    async with ClientSession() as session, session.post(path) as reply:
        assert (reply.status, (await reply.json())["errorCode"]) == (status, code)
        assert reply.headers.get("Retry-After") == retry_after


async def test_a_call_is_held_until_it_is_released_and_then_carried_out(
    simulator: Running,
) -> None:
    await _desk(simulator, "stall")
    call = asyncio.create_task(log_in(simulator))
    while (await _desk(simulator, "seen", "GET"))[1]["held"] != 1:
        assert not call.done()
    assert simulator.control.report()["sessions_made"] == 0
    await _desk(simulator, "release")
    assert (await call)["access_token"]


async def test_a_call_whose_caller_has_gone_is_carried_out_all_the_same(
    simulator: Running,
) -> None:
    simulator.control.stall()
    call = asyncio.create_task(log_in(simulator))
    while (await _desk(simulator, "seen", "GET"))[1]["held"] != 1:
        assert not call.done()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await _desk(simulator, "release")
    while not simulator.control.report()["sessions_made"]:
        await _desk(simulator, "seen", "GET")


async def test_a_call_is_held_for_a_time(simulator: Running) -> None:
    await _desk(simulator, "stall?seconds=0.01")
    assert (await log_in(simulator))["access_token"]


async def test_an_answer_gets_lost_after_its_call_was_carried_out(
    simulator: Running, caplog: pytest.LogCaptureFixture
) -> None:
    document = await log_in(simulator)
    await _desk(simulator, "drop?kind=platform")
    with pytest.raises((ServerDisconnectedError, ConnectionResetError)):
        await refresh(simulator, document["refresh_token"])
    assert await use(simulator, document["access_token"]) == (401, "OAU-129", "OAU-129")
    status, again = await refresh(simulator, document["refresh_token"])
    assert (status, await use(simulator, again["access_token"])) == (200, (200, "", ""))
    calls = simulator.control.report()["token_calls"]
    assert calls == {"jwt": {"200": 1}, "refresh_token": {"dropped": 1, "200": 1}}
    assert not caplog.records


async def test_a_trouble_meets_its_kind_only(simulator: Running) -> None:
    await _desk(simulator, "fail?kind=ringcx&status=500")
    await log_in(simulator)
    form = {"rcAccessToken": TOKEN, "rcTokenType": "Bearer"}
    path = f"{simulator.origin}/api/auth/login/rc/accesstoken"
    async with ClientSession() as session, session.post(path, data=form) as reply:
        assert reply.status == 500


async def test_a_reset_forgets_counts_and_trouble_but_not_sessions(simulator: Running) -> None:
    document = await log_in(simulator)
    await _desk(simulator, "drop")
    _, report = await _desk(simulator, "reset")
    assert (report["sessions_made"], report["sessions_active"]) == (0, 1)
    assert (report["token_calls"], report["latest_requests"]) == ({}, [])
    assert (await refresh(simulator, document["refresh_token"]))[0] == 200


async def test_a_call_that_was_turned_away_is_counted(simulator: Running) -> None:
    for _ in range(7):
        await ask_token(simulator, {"grant_type": "x"})
    _, report = await _desk(simulator, "seen", "GET")
    assert report["token_calls"] == {"other": {"400": 5, "429": 2}}
    assert report["token_calls_limited"] == 2


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("expire?kind=x", "kind"),
        ("fail?kind=x", "kind"),
        ("fail?status=200", "status"),
        ("fail?count=0", "count"),
        ("fail?retry_after=%0d%0aX:%201", "retry_after"),
        ("fail?retry_after=%C3%A4", "retry_after"),
        ("stall?seconds=x", "seconds"),
        ("stall?seconds=nan", "seconds"),
        ("stall?seconds=-1", "seconds"),
        ("drop?count=x", "count"),
        ("drop?at=x", "at"),
        ("drop?kind=api&method=x", "method"),
        ("rates?headers=x", "headers"),
    ],
)
async def test_what_cannot_be_meant_is_refused(simulator: Running, action: str, name: str) -> None:
    status, document = await _desk(simulator, action)
    assert (status, document["parameterName"]) == (400, name)


@pytest.mark.parametrize(
    ("method", "action", "status"),
    [
        ("POST", "seen", 405),
        ("GET", "reset", 405),
        ("POST", "nothing", 404),
        ("GET", "", 404),
    ],
)
async def test_what_is_no_action_is_refused(
    simulator: Running, method: str, action: str, status: int
) -> None:
    assert (await _desk(simulator, action, method))[0] == status


def test_who_is_not_on_loopback_finds_nothing() -> None:
    service = Service("t", lambda: 0.0, Rates(Pace()), lambda: 0.0)
    headers = ((b"Authorization", b"Bearer t"),)
    wire = Wire("POST", f"{DESK}/fail", headers, is_local=False)
    answer = service.answer(wire, "http://h")
    assert (answer.status, json.loads(answer.body)["errorCode"]) == (404, "CMN-120")
    assert service.control.report()["troubles_pending"] == 0
    assert len(service.notebook.entries) == 1


def test_the_desk_serves_its_own_paths() -> None:
    def serves(target: str) -> bool:
        reading = parse_wire(Wire("GET", target, is_local=True), "http://h")
        return Endpoint(Control(Levers({}, {}), Rates(Pace()))).serves(reading)

    assert serves(f"{DESK}/seen")
    assert not serves("/-/other/seen")
