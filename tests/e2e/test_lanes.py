"""Whatever a caller and an upstream send: both lanes send on the same bytes and answer the same."""

import asyncio
import re
from contextlib import suppress

import pytest
import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.e2e.test_upstreams_fuzz import SEEDS as REPLIES
from tests.e2e.test_upstreams_fuzz import streams as replies
from tests.wire import OK, PATH, Peer, Running, request, running, scripted

POST = f"POST {PATH}/extension/~/sms HTTP/1.1"
JSON = "Content-Type: application/json"
REQUESTS = (
    request(),
    request(POST, JSON, "Authorization: Bearer callers", body=b'{"a":"b"}'),
    request(f"POST {PATH}?_method=PUT&a=%2B&a=b HTTP/1.1", JSON, body=b"{}"),
    request(f"POST {PATH} HTTP/1.1", "X-HTTP-Method-Override: DELETE", "Content-Length: 0"),
    request(f"GET {PATH} HTTP/1.1", "Connection: close", "Cookie: a=b", "X-Forwarded-For: 1.2.3.4"),
    request(f"HEAD {PATH} HTTP/1.1"),
    request(f"GET {PATH} HTTP/1.0", "Connection: keep-alive"),
    request(POST, "Transfer-Encoding: chunked", body=b"2\r\nab\r\n0\r\n\r\n"),
    request(f"PATCH {PATH} HTTP/1.1", "User-Agent: a", "X-A: b", "User-Agent: b", body=b"{}"),
    request("GET /nowhere HTTP/1.1"),
    request("POST /restapi/oauth/token HTTP/1.1", body=b"grant_type=x"),
)
# What is new with every answer or run: ids, dates, times to wait, the port of the gateway.
NEW = re.compile(rb"(X-Request-Id|Date|Retry-After): [^\r]*|127\.0\.0\.1:\d+|in [0-9.]+ s")
LINKS = b'{"uri":"%b/restapi/v1.0/account/1","next":{"uri":"%b/restapi/x?page=2"},"n":1.0}'


async def play(
    lane: bool, sent: list[bytes], reply: bytes, *sets: str
) -> tuple[bytes, list[bytes]]:
    """Return all that is answered on one connection, and all that upstream got."""
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            seen.append(NEW.sub(b"", head + body))
            await peer.send(reply)

    times = ("timeouts.first_byte_s=0.3", "timeouts.idle_s=0.3", "timeouts.drain_s=0.2")
    async with (
        scripted(script) as upstream,
        running(upstream.origin, *times, *sets, f"engine.fast_lane={str(lane).lower()}") as gateway,
    ):
        answers = await ask(gateway, sent)
    return NEW.sub(b"", answers), seen


async def ask(gateway: Running, sent: list[bytes]) -> bytes:
    """Send one request after the other on a connection; return the bytes of all answers."""
    peer = await gateway.dial()
    # uvloop says that a connection is gone by a RuntimeError.
    with suppress(ConnectionError, RuntimeError, TimeoutError):
        for number, one in enumerate(sent, 1):
            await peer.send(one)
            record = await asyncio.wait_for(gateway.recorder.wait_for(number), 2)
            assert record.bug is None
        peer.writer.write_eof()
    answers = await peer.read_to_end()
    peer.close()
    return answers


def both(sent: list[bytes], reply: bytes, *sets: str) -> tuple[bytes, list[bytes]]:
    """Play in each lane; return what was the same."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        fast = runner.run(play(True, sent, reply, *sets))
        main = runner.run(play(False, sent, reply, *sets))
    assert fast == main
    return fast


@given(
    st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=3),
    st.one_of(replies(), st.sampled_from(REPLIES)),
)
@settings(max_examples=60)
@example([REQUESTS[0]] * 3, OK)
def test_a_lane_changes_nothing(sent: list[bytes], reply: bytes) -> None:
    both(sent, reply)


@given(st.lists(st.sampled_from(REQUESTS[:4]), min_size=2, max_size=4), st.data())
@settings(max_examples=20)
def test_a_lane_changes_nothing_for_requests_that_come_again(
    sent: list[bytes], data: st.DataObject
) -> None:
    again = sent * 3 + data.draw(st.lists(st.sampled_from(REQUESTS), max_size=3))
    both(again, OK)


def test_user_agents_that_come_twice_are_no_reason_to_refuse() -> None:
    """The vendor's PHP SDK adds one to each that is there."""
    twice = request(f"GET {PATH} HTTP/1.1", "User-Agent: a", "User-Agent: b", "User-Agent_: c")
    answers, seen = both([twice], OK)
    assert answers.startswith(b"HTTP/1.1 200 ")
    sent = seen[0].lower()
    assert sent.count(b"\r\nuser-agent: rc-gateway/") == sent.count(b"\r\nuser-agent: ") == 1
    assert b"\r\nuser-agent_: c\r\n" in sent


@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize(
    "sets", [("links.rewrite=on", "rates.mode=shield"), ("rates.mode=queue", "rates.max_wait_s=1")]
)
def test_every_policy_is_the_same_in_both_lanes(asked: bytes, sets: tuple[str, ...]) -> None:
    fields = (
        b"X-Rate-Limit-Group: light\r\nX-Rate-Limit-Remaining: 0\r\nX-Rate-Limit-Window: 60\r\n"
    )
    body = LINKS.replace(b"%b", b"http://localhost:1")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    _, seen = both([asked] * 3, head % len(body) + fields + b"\r\n" + body, *sets)
    assert len(seen) <= 1
