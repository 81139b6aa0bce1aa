"""Mutated replies, cut anywhere: what is relayed as whole is what another strict reader reads."""

import asyncio

import h11
import uvloop
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire import Peer, request, running, scripted

SEEDS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-A: b\r\n\r\nhello world",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n006\r\n world\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello world",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n",
)
TOKENS = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b":", b";", b",", b"0", b"1", b"F", b"\xff"),
        *(b"\r\n\r\n", b"0\r\n\r\n", b"chunked", b"gzip", b"Content-Length: 5\r\n", b"-", b"+"),
        *(b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"HTTP/1.1 200 OK\r\n"),
    ]
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Draw a reply with up to four faults in it."""
    stream = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(stream)))
        end = min(len(stream), start + draw(st.integers(0, 8)))
        match draw(st.sampled_from(["insert", "replace", "delete", "repeat", "end"])):
            case "insert":
                stream = stream[:start] + draw(TOKENS) + stream[start:]
            case "replace":
                stream = stream[:start] + draw(TOKENS) + stream[end:]
            case "delete":
                stream = stream[:start] + stream[end:]
            case "repeat":
                stream = stream[:end] + stream[start:]
            case _:
                stream = stream[:start]
    return stream


def read_strictly(stream: bytes) -> tuple[int, bytes] | None:
    """Return the status and whole body as h11 reads a reply that the connection's end follows."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(stream)
    reader.receive_data(b"")
    status, body = 0, b""
    try:
        while True:
            match reader.next_event():
                case h11.Response(status_code=status):
                    pass
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    return status, body
                case h11.InformationalResponse():
                    pass
                case _:
                    return None
    except h11.RemoteProtocolError:
        return None


async def relay(stream: bytes, cut: int, ending: str) -> tuple[int, bytes] | None:
    """Return the status and body that a caller believes to be whole, None when it was cut."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(stream[:cut])
        await asyncio.sleep(0)
        await peer.send(stream[cut:])
        if ending == "reset":
            peer.reset()
        elif ending == "wait":
            await peer.read_to_end()

    times = ("timeouts.first_byte_s=0.2", "timeouts.idle_s=0.2")
    async with scripted(script) as upstream, running(upstream.origin, *times) as gateway:
        peer = await gateway.dial()
        async with asyncio.timeout(5):
            await peer.send(request("GET /restapi HTTP/1.1", "Connection: close"))
            answer = await peer.read_to_end()
            peer.close()
            record = await gateway.recorder.wait_for(1)
        assert record.bug is None
        assert gateway.gateway.idle_upstream_connections() <= 1
        return None if record.cut else read_strictly(answer)


@given(streams(), st.integers(0, 200), st.sampled_from(["close", "reset", "wait"]))
@example(SEEDS[0], 45, "close")
@example(SEEDS[1], 60, "wait")
@example(SEEDS[2], 30, "close")
def test_what_is_relayed_as_whole_is_what_h11_reads(stream: bytes, cut: int, ending: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        relayed = runner.run(relay(stream, cut, ending))
    if relayed is None or relayed[0] in (502, 504):
        return
    believed = read_strictly(stream)
    # RFC 9110 section 15.3.6: a 205 has no content, whatever its sender thought.
    assert relayed[0] == 205 or relayed == believed


def test_what_is_valid_is_relayed() -> None:
    for stream in SEEDS:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            relayed = runner.run(relay(stream, 20, "close"))
        assert relayed is not None
        assert relayed == read_strictly(stream)
