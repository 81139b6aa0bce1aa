"""Enforced rate limits over the socket: the 429, its penalty, and how it ends."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, Running, start
from tests.simulator.asking import ask_token, log_in

ACCOUNT = "/restapi/v1.0/account/~"
LOG = f"{ACCOUNT}/call-log"
STORE = f"{ACCOUNT}/extension/~/message-store"
GOOD = {"Authorization": f"Bearer {TOKEN}"}

Reply = tuple[int, dict[str, str], object]


@pytest.fixture
async def strict(now: list[float]) -> AsyncIterator[Running]:
    running = await start(clock=lambda: now[0], enforce_rates=True)
    yield running
    await running.close()


async def _ask(
    running: Running, path: str, method: str = "GET", headers: dict[str, str] = GOOD
) -> Reply:
    async with (
        ClientSession(running.origin) as session,
        session.request(method, path, headers=headers) as reply,
    ):
        body = await reply.json() if reply.content_type == "application/json" else None
        return reply.status, dict(reply.headers), body


async def _statuses(running: Running, path: str, times: int, method: str = "GET") -> list[int]:
    return [(await _ask(running, path, method))[0] for _ in range(times)]


async def test_a_group_takes_its_limit_and_then_says_how_long_to_wait(strict: Running) -> None:
    assert await _statuses(strict, LOG, 10) == [200] * 10
    status, headers, document = await _ask(strict, LOG)
    assert status == 429
    assert document == {
        "errorCode": "CMN-301",
        "message": "Request rate exceeded",
        "errors": [{"errorCode": "CMN-301", "message": "Request rate exceeded"}],
    }
    assert headers["Retry-After"] == "60"
    assert {name: value for name, value in headers.items() if name.startswith("X-Rate")} == {
        "X-Rate-Limit-Group": "heavy",
        "X-Rate-Limit-Limit": "10",
        "X-Rate-Limit-Remaining": "0",
        "X-Rate-Limit-Window": "60",
    }


async def test_a_caller_who_does_not_wait_is_never_let_in_again(
    strict: Running, now: list[float]
) -> None:
    await _statuses(strict, LOG, 11)
    for now[0] in range(30, 3600, 30):
        assert await _statuses(strict, LOG, 1) == [429]
    report = strict.control.report()
    assert report["requests_refused"] == {"heavy": 120}
    assert (report["penalties_begun"], report["requests_in_penalty"]) == (1, 119)
    now[0] += 59.9
    assert await _statuses(strict, STORE, 1) == [200]
    now[0] += 0.1
    assert await _statuses(strict, LOG, 1) == [200]


async def test_all_operations_of_a_group_share_it_by_their_effective_method(
    strict: Running,
) -> None:
    assert await _statuses(strict, f"{STORE}/1", 20, "DELETE") == [404] * 20
    assert await _statuses(strict, f"{STORE}/1?_method=DELETE", 21, "POST") == [404] * 20 + [429]
    assert await _statuses(strict, f"{STORE}/1", 1) == [404]


async def test_each_application_has_buckets_of_its_own(strict: Running) -> None:
    await _statuses(strict, LOG, 11)
    document = await log_in(strict)
    headers = {"Authorization": f"Bearer {document['access_token']}"}
    assert (await _ask(strict, LOG, headers=headers))[0] == 200


async def test_an_open_path_and_a_bad_token_are_not_charged(strict: Running) -> None:
    async with ClientSession(strict.origin) as session:
        for _ in range(60):
            async with session.get("/restapi/v1.0") as reply:
                assert reply.status == 200
            async with session.get(STORE, headers={"Authorization": "Bearer x"}) as reply:
                assert reply.status == 401
    assert await _statuses(strict, STORE, 1) == [200]


async def test_penalties_of_the_token_endpoint_are_reported_as_well(strict: Running) -> None:
    for _ in range(7):
        await ask_token(strict, {"grant_type": "x"})
    report = strict.control.report()
    assert report["requests_refused"] == {"auth": 2}
    assert (report["penalties_begun"], report["requests_in_penalty"]) == (1, 1)


async def test_headers_can_be_absent_from_every_answer(strict: Running) -> None:
    desk = f"{strict.origin}/-/simulator/rates"
    async with ClientSession() as session, session.post(f"{desk}?headers=off") as reply:
        assert reply.status == 200
    replies = [await _ask(strict, LOG) for _ in range(11)]
    assert [status for status, _, _ in replies] == [200] * 10 + [429]
    assert not any("X-Rate-Limit-Group" in headers for _, headers, _ in replies)
    assert replies[-1][1]["Retry-After"] == "60"
    async with ClientSession() as session, session.post(f"{desk}?headers=on") as reply:
        assert reply.status == 200
    assert "X-Rate-Limit-Group" in (await _ask(strict, STORE))[1]


@pytest.mark.parametrize("retry_after", ["", "9"])
async def test_a_limit_of_another_sort_has_no_rate_headers(
    strict: Running, retry_after: str
) -> None:
    strict.control.fail(2, 429, retry_after, "api")
    for _ in range(2):
        status, headers, _ = await _ask(strict, STORE)
        assert (status, headers.get("Retry-After", "")) == (429, retry_after)
        assert "X-Rate-Limit-Group" not in headers
    assert await _statuses(strict, STORE, 1) == [200]
    assert strict.control.report()["requests_refused"] == {}


async def test_numbers_can_be_replaced_and_time_be_short(now: list[float]) -> None:
    running = await start(
        clock=lambda: now[0], time_scale=60, enforce_rates=True, limits={"Light": 2}
    )
    assert await _statuses(running, STORE, 3) == [200, 200, 429]
    assert (await _ask(running, STORE))[1]["Retry-After"] == "1"
    now[0] = 1.0
    assert await _statuses(running, STORE, 1) == [200]
    await running.close()


async def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        await start(limits={"Light": 0})


async def test_rates_are_counted_only_unless_they_are_enforced(simulator: Running) -> None:
    assert await _statuses(simulator, LOG, 12) == [200] * 12
    assert simulator.control.report()["requests_refused"] == {}
