"""Faults at every step of an exchange, and the second attempt that is right, or none.

Every request goes out on a connection that has been used before.
"""

from collections.abc import Callable

import pytest

from gateway import simulator
from gateway.simulator.control.troubles import Cut
from tests.e2e.asked import KINDS, Kind, carried, prepare
from tests.e2e.vendor import owning

Fault = Callable[[simulator.Running, str], None]


def cut(at: Cut) -> Fault:
    return lambda upstream, method: upstream.control.drop(1, "api", method, at)


def fail(status: int, retry_after: str = "") -> Fault:
    return lambda upstream, method: upstream.control.fail(1, status, retry_after, "api", method)


def expire(upstream: simulator.Running, _method: str) -> None:
    upstream.control.expire()


BODY_CUT = cut(Cut.BODY)
SAFE, ANY, NONE = "safe", "any", "none"
# What happens, for which methods the request is sent again and with which reason in the log,
# what the caller gets if it is not, and how often the attempt that failed carried it out.
CASES: list[tuple[str, Fault, str, str, int, int]] = [
    ("cut before it is read", cut(Cut.ARRIVAL), SAFE, "stale", 502, 0),
    ("cut after it was carried out", cut(Cut.ANSWER), SAFE, "stale", 502, 1),
    # It is short, so it is held to rewrite its links, and no head has left yet.
    ("cut in the answer's body", BODY_CUT, NONE, "", 502, 1),
    ("503 with a short wait", fail(503, "1"), SAFE, "status-503", 503, 0),
    ("503 with a long wait", fail(503, "3"), NONE, "", 503, 0),
    ("503 that does not say when", fail(503), NONE, "", 503, 0),
    ("502", fail(502), NONE, "", 502, 0),
    ("504", fail(504), NONE, "", 504, 0),
    ("500", fail(500), NONE, "", 500, 0),
    ("a token that is over", expire, ANY, "token", 401, 0),
]


# The answer to a DELETE has no body that could be cut.
MEETINGS = [
    pytest.param(kind, *case[1:], id=f"{case[0]}-{name}")
    for name, kind in KINDS.items()
    for case in CASES
    if kind.verb != "DELETE" or case[1] is not BODY_CUT
]


@pytest.mark.parametrize(("kind", "fault", "again", "reason", "status", "before"), MEETINGS)
async def test_a_fault_is_met_by_a_second_attempt_only_where_that_is_right(
    kind: Kind, fault: Fault, again: str, reason: str, status: int, before: int
) -> None:
    async with owning() as (upstream, gateway):
        asked = await prepare(gateway, kind)
        fault(upstream, kind.verb)
        answered = await asked.ask(gateway)
        arrived, done = carried(upstream, asked)
        is_repeated = again == ANY or (again == SAFE and kind.is_idempotent)
        record = await gateway.recorder.wait_for(2)
        assert record.retries == ((reason,) if is_repeated else ())
    is_gone = kind.verb == "DELETE" and before == 1
    assert answered == ((404 if is_gone else kind.success) if is_repeated else status)
    assert arrived == (2 if is_repeated else 1)
    assert done == before + (1 if is_repeated and not is_gone else 0)
    if not kind.is_idempotent:
        assert done <= 1


async def test_what_a_deployer_adds_is_repeated_and_posts_are_not() -> None:
    async with owning("retries.on_status=[502, 503]", "timeouts.first_byte_s=10") as (
        upstream,
        gateway,
    ):
        for kind, status, times in (("GET", 200, 2), ("POST", 502, 1)):
            asked = await prepare(gateway, KINDS[kind])
            upstream.control.fail(1, 502, "1", "api")
            assert (await asked.ask(gateway), carried(upstream, asked)[0]) == (status, times)


async def test_a_429_is_waited_for_in_a_queue_whatever_the_method() -> None:
    async with owning("rates.mode=queue") as (upstream, gateway):
        asked = await prepare(gateway, KINDS["POST"])
        upstream.control.fail(1, 429, "1", "api")
        assert (await asked.ask(gateway), carried(upstream, asked)) == (200, (2, 1))


async def test_a_body_that_is_not_held_is_sent_once() -> None:
    async with owning("limits.replay_body_bytes=4") as (upstream, gateway):
        asked = await prepare(gateway, KINDS["PUT"])
        upstream.control.fail(1, 503, "1", "api")
        assert (await asked.ask(gateway), carried(upstream, asked)[0]) == (503, 1)
