"""Faults at every step of an exchange: no POST is carried out twice, nothing savable is lost.

The simulator writes down by X-Test-Id how often a request arrived and was carried out.
Every request but the first goes out on a connection that has been used before.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import pytest

from gateway import simulator
from gateway.simulator.control.troubles import Cut
from tests.e2e.vendor import owning
from tests.wire import Running, request

STORE = "/restapi/v1.0/account/~/extension/~/message-store"
SMS = "/restapi/v1.0/account/~/extension/~/sms"
READ = b'{"readStatus":"Read"}'
TEXT = b'{"from":{"phoneNumber":"+16505550100"},"to":[{"phoneNumber":"+16505550101"}],"text":"x"}'
JSON = "Content-Type: application/json"

Fault = Callable[[simulator.Running, str], None]


@dataclass(frozen=True)
class Asked:
    """A kind of request: its line, its body, and the method that the vendor sees."""

    line: str
    body: bytes
    effective: str


def asked(upstream: simulator.Running) -> dict[str, Asked]:
    message = f"{STORE}/{upstream.examples.update_id}"
    return {
        "GET": Asked(f"GET {message} HTTP/1.1", b"", "GET"),
        "PUT": Asked(f"PUT {message} HTTP/1.1", READ, "PUT"),
        "tunnelled PUT": Asked(f"POST {message}?_method=PUT HTTP/1.1", READ, "PUT"),
        "POST": Asked(f"POST {SMS} HTTP/1.1", TEXT, "POST"),
    }


IDS: Iterator[int] = count()


async def ask(gateway: Running, what: Asked) -> tuple[int, str]:
    """Ask once; return the status, 0 for an answer that was cut, and the id of the request."""
    name = f"id-{next(IDS)}"
    fields = [f"X-Test-Id: {name}", *([JSON] if what.body else [])]
    status = 0
    with suppress(EOFError, ConnectionError):
        status, _, _ = await gateway.ask(request(what.line, *fields, body=what.body))
    return status, name


def carried(upstream: simulator.Running, name: str) -> tuple[int, int]:
    """Return how often a request arrived, and was carried out."""
    arrivals = upstream.control.report()["arrivals"]
    assert isinstance(arrivals, dict)
    seen = arrivals.get(name, {"arrived": 0, "carried_out": 0})
    return seen["arrived"], seen["carried_out"]


def cut(at: Cut) -> Fault:
    return lambda upstream, method: upstream.control.drop(1, "api", method, at)


def fail(status: int, retry_after: str = "") -> Fault:
    return lambda upstream, method: upstream.control.fail(1, status, retry_after, "api", method)


def expire(upstream: simulator.Running, _method: str) -> None:
    upstream.control.expire()


SAFE, ANY, NONE = "safe", "any", "none"
# What happens, for which methods the request is sent again and with which reason in the log,
# what the caller gets if it is not, and how often the attempt that failed carried it out.
CASES: list[tuple[str, Fault, str, str, int, int]] = [
    ("cut before it is read", cut(Cut.ARRIVAL), SAFE, "stale", 502, 0),
    ("cut after it was carried out", cut(Cut.ANSWER), SAFE, "stale", 502, 1),
    # It is short, so it is held to rewrite its links, and no head has left yet.
    ("cut in the answer's body", cut(Cut.BODY), NONE, "", 502, 1),
    ("503 with a short wait", fail(503, "1"), SAFE, "status-503", 503, 0),
    ("503 with a long wait", fail(503, "3"), NONE, "", 503, 0),
    ("503 that does not say when", fail(503), NONE, "", 503, 0),
    ("502", fail(502), NONE, "", 502, 0),
    ("504", fail(504), NONE, "", 504, 0),
    ("500", fail(500), NONE, "", 500, 0),
    ("a token that is over", expire, ANY, "token", 401, 0),
]


@pytest.mark.parametrize("kind", ["GET", "PUT", "tunnelled PUT", "POST"])
@pytest.mark.parametrize(
    ("fault", "again", "reason", "status", "before"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
async def test_a_fault_is_met_by_a_second_attempt_only_where_that_is_right(
    kind: str, fault: Fault, again: str, reason: str, status: int, before: int
) -> None:
    async with owning() as (upstream, gateway):
        what = asked(upstream)[kind]
        assert (await ask(gateway, what))[0] == 200
        fault(upstream, what.effective)
        answered, name = await ask(gateway, what)
        arrived, done = carried(upstream, name)
        is_repeated = again == ANY or (again == SAFE and what.effective != "POST")
        record = await gateway.recorder.wait_for(2)
        assert record.retries == ((reason,) if is_repeated else ())
    assert answered == (200 if is_repeated else status)
    assert arrived == (2 if is_repeated else 1)
    assert done == before + (1 if is_repeated else 0)
    if what.effective == "POST":
        assert done <= 1


async def test_what_a_deployer_adds_is_repeated_and_posts_are_not() -> None:
    async with owning("retries.on_status=[502, 503]", "timeouts.first_byte_s=10") as (
        upstream,
        gateway,
    ):
        kinds = asked(upstream)
        for kind, status, times in (("GET", 200, 2), ("POST", 502, 1)):
            upstream.control.fail(1, 502, "1", "api")
            answered, name = await ask(gateway, kinds[kind])
            assert (answered, carried(upstream, name)[0]) == (status, times)


async def test_a_429_is_waited_for_in_a_queue_whatever_the_method() -> None:
    async with owning("rates.mode=queue") as (upstream, gateway):
        what = asked(upstream)["POST"]
        upstream.control.fail(1, 429, "1", "api")
        answered, name = await ask(gateway, what)
        assert (answered, carried(upstream, name)) == (200, (2, 1))


async def test_a_body_that_is_not_held_is_sent_once() -> None:
    async with owning("limits.replay_body_bytes=4") as (upstream, gateway):
        what = asked(upstream)["PUT"]
        assert (await ask(gateway, what))[0] == 200
        upstream.control.fail(1, 503, "1", "api")
        answered, name = await ask(gateway, what)
        assert (answered, carried(upstream, name)[0]) == (503, 1)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_no_post_is_carried_out_twice(seed: int) -> None:
    chance = random.Random(seed)
    faults = [case[1] for case in CASES if case[0] != "503 with a short wait"]
    async with owning("credentials.ringcentral.auth_limit=1000") as (upstream, gateway):
        kinds = list(asked(upstream).values())
        for _ in range(100):
            what = chance.choice(kinds)
            if chance.random() < 0.4:
                chance.choice(faults)(upstream, what.effective)
            answered, name = await ask(gateway, what)
            arrived, done = carried(upstream, name)
            if what.effective == "POST":
                assert done <= 1, name
            if answered == 200:
                assert done >= 1, name
            assert arrived <= 2, name
