"""Troubles that requests of the API meet, over the socket, and how often each is carried out."""

import asyncio

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, Running
from gateway.simulator.control.troubles import Cut

STORE = "/restapi/v1.0/account/~/extension/~/message-store"


async def _exchange(
    simulator: Running, method: str, path: str, test_id: str = "one", body: str = ""
) -> bytes:
    """Send one request; return all that comes until the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"X-Test-Id: {test_id}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write((head + body).encode())
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


def _arrivals(simulator: Running, test_id: str = "one") -> tuple[int, int]:
    arrivals = simulator.control.report()["arrivals"]
    assert isinstance(arrivals, dict)
    counts = arrivals[test_id]
    return counts["arrived"], counts["carried_out"]


@pytest.mark.parametrize(
    ("status", "retry_after"), [(503, "1"), (503, ""), (502, ""), (504, ""), (429, "2")]
)
async def test_a_request_fails_as_ordered_and_is_not_carried_out(
    simulator: Running, status: int, retry_after: str
) -> None:
    path = f"{STORE}/{simulator.examples.delete_id}"
    simulator.control.fail(1, status, retry_after, "api", "DELETE")
    assert (await _exchange(simulator, "GET", path, "another")).startswith(b"HTTP/1.1 200 ")
    reply = await _exchange(simulator, "DELETE", path)
    assert reply.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"Retry-After: " + retry_after.encode() in reply) == bool(retry_after)
    assert _arrivals(simulator) == (1, 0)
    assert (await _exchange(simulator, "DELETE", path)).startswith(b"HTTP/1.1 204 ")
    assert _arrivals(simulator) == (2, 1)
    assert _arrivals(simulator, "another") == (1, 1)


@pytest.mark.parametrize(("at", "carried_out"), [(Cut.ARRIVAL, 0), (Cut.ANSWER, 1), (Cut.BODY, 1)])
async def test_a_connection_is_cut_before_or_after_its_request_was_carried_out(
    simulator: Running, at: Cut, carried_out: int, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.control.drop(kind="api", method="DELETE", at=at)
    path = f"{STORE}/{simulator.examples.delete_id}"
    assert await _exchange(simulator, "DELETE", path) == b""
    assert _arrivals(simulator) == (1, carried_out)
    again = await _exchange(simulator, "DELETE", path)
    assert again.startswith(b"HTTP/1.1 404 " if carried_out else b"HTTP/1.1 204 ")
    report = simulator.control.report()
    assert report["requests_by_status"] == {"dropped": 1, "404" if carried_out else "204": 1}
    assert not caplog.records


async def test_half_a_body_comes_and_says_how_long_it_should_have_been(
    simulator: Running, caplog: pytest.LogCaptureFixture
) -> None:
    path = simulator.examples.content_path
    whole = await _exchange(simulator, "GET", path)
    async with ClientSession() as session:
        desk = f"{simulator.origin}/-/simulator/drop?kind=api&at=body&method=GET"
        async with session.post(desk) as reply:
            assert reply.status == 200
    half = await _exchange(simulator, "GET", path)
    head, _, body = whole.partition(b"\r\n\r\n")
    assert half.endswith(body[: len(body) // 2])
    assert f"Content-Length: {len(body)}\r\n".encode() in half
    assert half.startswith(b"HTTP/1.1 200 ")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert _arrivals(simulator) == (2, 2)
    assert not caplog.records


async def test_the_answer_to_a_head_is_cut_whole(simulator: Running) -> None:
    simulator.control.drop(kind="api", at=Cut.BODY)
    assert await _exchange(simulator, "HEAD", STORE) == b""


async def test_a_request_is_held_and_the_desk_goes_on(simulator: Running) -> None:
    simulator.control.stall(kind="api", method="PUT")
    path = f"{STORE}/{simulator.examples.update_id}"
    call = asyncio.create_task(_exchange(simulator, "PUT", path, "held", '{"readStatus": "Read"}'))
    async with ClientSession(simulator.origin) as session:
        held = 0
        while not held:
            async with session.get("/-/simulator/seen") as reply:
                held = (await reply.json())["held"]
        assert _arrivals(simulator, "held") == (1, 0)
        async with session.post("/-/simulator/release") as reply:
            assert reply.status == 200
    assert (await call).startswith(b"HTTP/1.1 200 ")
    assert _arrivals(simulator, "held") == (1, 1)


async def test_a_request_that_breaks_off_arrived_and_was_not_carried_out(
    simulator: Running,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(
        b"POST /restapi HTTP/1.1\r\nHost: h\r\nX-Test-Id: half\r\n"
        b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"{")
    writer.close()
    await writer.wait_closed()
    assert _arrivals(simulator, "half") == (1, 0)
