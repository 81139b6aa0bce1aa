"""Spoiled requests: refused as documented, or read as h11 reads them; and never a hang.

llhttp reads every request here, in aiohttp's parser, and `find_forgiven` holds what it
read against the bytes; so only h11 is asked for another opinion.
"""

import asyncio
import tomllib
from contextlib import suppress
from pathlib import Path

import h11
import pytest
from aiohttp.http_exceptions import HttpProcessingError
from h11._connection import _body_framing

from gateway.core.framing import Framing, Kind
from gateway.core.message import RawHead, Request, Rules, normalize
from gateway.engine.flaws import as_sent, as_taken, find_forgiven
from gateway.engine.incoming import target_of, version_of
from gateway.errors import GatewayError
from tests.e2e.test_callers_readers import HEADS, Readers
from tests.e2e.test_callers_segments import SENT
from tests.mutating import mutants
from tests.wire import OK, PATH, PATIENCE_S, Running, answering, request, running, scripted

VECTORS = Path(__file__).parents[1] / "vectors" / "engine_refused.toml"
COUNT = 10_000
# Each of them takes a connection.
LIVE_COUNT = 300
RULES = Rules(max_body_bytes=1000)


def corpus() -> list[bytes]:
    cases = tomllib.loads(VECTORS.read_text("utf-8"))["case"]
    refused = [case["sent"].encode("latin-1") for case in cases]
    right = [
        request(f"PUT {PATH}/1?a=b&c=%20 HTTP/1.1", "X-A: \t b c \t", "X-B:", body=b"hello"),
        request(f"POST {PATH} HTTP/1.1", "X-HTTP-Method-Override: DELETE", "Connection: close"),
        request(f"GET {PATH} HTTP/1.0", "Connection: keep-alive", host="localhost:80"),
        request(f"GET {PATH} HTTP/1.1", "User-Agent: a", "user-agent: b", "A: b", "User-Agent:c"),
        request(f"DELETE {PATH} HTTP/1.1", "Accept: */*", "accept: text/html; q=0.5, */*"),
    ]
    # As many right ones as wrong ones: most faults make a right one wrong.
    whole = [*right, *HEADS, *SENT.values()]
    return [stream for stream in refused if len(stream) < 1000] + whole * 5


def read(stream: bytes) -> tuple[Request, bytes, RawHead] | None:
    """Return the first request and its head, None when it is refused or goes on.

    Whatever is raised but what is documented fails the test.
    """
    readers = Readers(stream)
    while part := readers.boundary.take():
        head = readers.boundary.head
        try:
            messages, _, _ = readers.parser.feed_data(as_taken(part, head))
        except (HttpProcessingError, ValueError, IndexError):
            # The last of them is yarl's, for some targets.
            return None
        for parsed, _ in messages:
            message = as_sent(parsed, head)
            if find_forgiven(message, head) is not None:
                return None
            method, fields = message.method.encode(), message.raw_headers
            raw = RawHead(method, target_of(message), version_of(message), fields)
            with suppress(GatewayError):
                return normalize(raw, RULES), head, raw
            return None
    return None


def read_with_h11(head: bytes) -> tuple[object, ...]:
    peer = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    peer.receive_data(head)
    event = peer.next_event()
    assert isinstance(event, h11.Request)
    fields = tuple((bytes(name), bytes(value).lower()) for name, value in event.headers)
    framing = _body_framing(bytes(event.method), event)
    return bytes(event.method), bytes(event.target), bytes(event.http_version), fields, framing


def framed(framing: Framing) -> tuple[str, tuple[int, ...]]:
    """Return a framing in h11's words."""
    return (
        ("chunked", ()) if framing.kind is Kind.CHUNKED else ("content-length", (framing.length,))
    )


@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_spoiled_request_is_refused_or_read_as_h11_reads_it(seed: int) -> None:
    accepted = 0
    for stream in mutants(corpus(), seed, COUNT):
        found = read(stream)
        if found is None:
            continue
        accepted += 1
        believed, head, raw = found
        # h11 writes names in lower case, and those of codings.
        fields = tuple((name.lower(), value.lower()) for name, value in raw.fields)
        line = raw.method, raw.target, raw.version[-3:]
        assert read_with_h11(head) == (*line, fields, framed(believed.framing)), stream
    # Otherwise little was compared.
    assert accepted > COUNT / 25


async def play(gateway: Running, stream: bytes) -> None:
    """Send a stream and its end, and take what is answered, until the connection ends."""
    peer = await gateway.dial()
    with suppress(ConnectionError):
        await peer.send(stream)
        peer.writer.write_eof()
        await peer.read_to_end()
    peer.close()


@pytest.mark.parametrize("seed", range(2))
async def test_a_spoiled_request_hangs_nothing_and_is_no_bug(seed: int) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        for stream in mutants(corpus(), 100 + seed, LIVE_COUNT):
            await asyncio.wait_for(play(gateway, stream), PATIENCE_S)
            assert (await gateway.ask(request()))[2] == b"ok", stream
        await gateway.gateway.gate.emptied()
        assert [record.bug for record in gateway.records if record.bug is not None] == []
