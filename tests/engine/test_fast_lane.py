"""gateway/engine/fast_lane.py: which bytes are a request for it."""

import pytest

from gateway.core.message import Listener
from gateway.engine.fast_lane import MOST_BODY_BYTES, FastLane
from gateway.engine.known_heads import MOST_HEAD_BYTES
from gateway.engine.server import Server
from tests.wire import PATH, Running, request, running

POST = request(f"POST {PATH} HTTP/1.1", body=b"abc")
GET = request()


def lane_of(gateway: Running) -> FastLane:
    server = Server(gateway.gateway.gate, Listener(gateway.port, loopback=True))
    return server.lane


async def test_one_whole_request_is_found_with_its_body() -> None:
    async with running("http://127.0.0.1:1", "engine.fast_lane=true") as gateway:
        lane = lane_of(gateway)
        found = lane.find(POST)
        assert found is not None
        assert (found[0].length, found[1]) == (3, b"abc")
        assert lane.find(GET) is not None
        for other in (GET + GET, POST[:-1], POST + b"d", b"", b"\r\n" + GET):
            assert lane.find(other) is None


@pytest.mark.parametrize(
    ("part", "may"),
    [
        (b"G", True),
        (GET[:-1], True),
        (POST[:-1], True),
        (b"GET /" + b"a" * MOST_HEAD_BYTES, False),
        (b"\x16\x03", False),
        (b"get /", False),
        (b"GET *", False),
        (GET + GET, False),
        (POST + b"d", False),
        (request(f"POST {PATH} HTTP/1.1", f"Content-Length: {MOST_BODY_BYTES + 1}"), False),
    ],
)
async def test_a_part_is_waited_for_while_it_may_become_plain(part: bytes, may: bool) -> None:
    async with running("http://127.0.0.1:1", "engine.fast_lane=true") as gateway:
        assert lane_of(gateway).may_grow_plain(part) is may


async def test_a_gateway_that_drains_has_no_fast_lane() -> None:
    async with running("http://127.0.0.1:1", "engine.fast_lane=true") as gateway:
        lane = lane_of(gateway)
        gateway.gateway.gate.is_draining = True
        assert lane.find(GET) is None
        assert not lane.may_grow_plain(GET[:-1])
