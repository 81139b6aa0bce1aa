"""Spoiled heads of replies: refused as documented, or read as h11 and llhttp read them."""

import asyncio
import itertools
import random
import tomllib
from pathlib import Path

import h11
import pytest
from aiohttp.http import HttpResponseParser
from h11._connection import _body_framing

from gateway.core.framing import Framing, Kind
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.engine.head_reader import HeadReader
from gateway.errors import UpstreamBroken
from tests.e2e.test_callers_readers import Peer
from tests.mutating import mutants

VECTORS = Path(__file__).parents[1] / "vectors"
COUNT = 10_000
CODING = b"transfer-encoding"
# As h11 calls them, with the length that a kind has.
KINDS = {Kind.CHUNKED: "chunked", Kind.CLOSE: "http/1.0", Kind.LENGTH: "content-length"}


def corpus() -> list[bytes]:
    heads = tomllib.loads((VECTORS / "core_reply_head.toml").read_text("utf-8"))["case"]
    replies = tomllib.loads((VECTORS / "engine_broken_replies.toml").read_text("utf-8"))["case"]
    streams = [case["raw"].encode("latin-1") for case in heads]
    streams += [
        case["reply"].encode().decode("unicode_escape").encode("latin-1") for case in replies
    ]
    return [stream for stream in streams if len(stream) < 1000]


def read(stream: bytes, *cuts: int) -> tuple[ReplyHead, bytes] | None:
    """Return the final head and all bytes up to its end, None for what is refused or goes on.

    Whatever else is raised fails the test.
    """
    reader = HeadReader("GET")
    for start, end in itertools.pairwise([0, *sorted(cuts), len(stream)]):
        try:
            head = reader.feed(stream[start:end])
        except UpstreamBroken:
            return None
        if head is not None:
            return head, stream[: end - len(reader.rest)]
    return None


def read_with_h11(raw: bytes) -> tuple[object, ...]:
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=100_000)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(raw)
    event = peer.next_event()
    while isinstance(event, h11.InformationalResponse):
        event = peer.next_event()
    assert isinstance(event, h11.Response)
    fields = tuple((bytes(name), bytes(value)) for name, value in event.headers)
    return event.status_code, bytes(event.reason), fields, _body_framing(b"GET", event)


def read_with_llhttp(raw: bytes) -> tuple[object, ...]:
    loop = asyncio.get_running_loop()
    parser = HttpResponseParser(
        Peer(loop), loop, 65536, max_line_size=65536, max_field_size=65536, max_headers=1000
    )
    messages, _, _ = parser.feed_data(raw)
    message = next(message for message, _ in messages if message.code >= 200)
    reason = message.reason.encode("utf-8", "surrogateescape")
    # RFC 9112 section 6.3: a 204 or 304 ends with its head, whatever its fields say.
    is_chunked = message.chunked and message.code not in (204, 304)
    return message.code, reason, message.raw_headers, is_chunked


def folded(fields: Fields) -> Fields:
    """Return fields as h11 writes them: names in lower case, and names of codings."""
    lower = ((name.lower(), value) for name, value in fields)
    return tuple((name, value.lower() if name == CODING else value) for name, value in lower)


def framed(framing: Framing) -> tuple[str, tuple[int, ...]]:
    """Return a framing in h11's words."""
    if framing.kind is Kind.NONE:
        return "content-length", (0,)
    length = (framing.length,) if framing.kind is Kind.LENGTH else ()
    return KINDS[framing.kind], length


@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_spoiled_head_is_refused_or_read_as_others_read_it(seed: int) -> None:
    chance, accepted = random.Random(seed), 0
    for stream in mutants(corpus(), seed, COUNT):
        found = read(stream)
        cuts = [chance.randint(0, len(stream)) for _ in range(3)]
        in_parts = read(stream, *cuts)
        assert (found is None) == (in_parts is None), stream
        if found is None or in_parts is None:
            continue
        accepted += 1
        (head, raw), (other, as_much) = found, in_parts
        assert (other.reason, other.fields, other.framing, as_much) == (
            *(head.reason, head.fields, head.framing),
            raw,
        )
        as_h11 = (head.status, head.reason, folded(head.fields), framed(head.framing))
        assert read_with_h11(raw) == as_h11, stream
        is_chunked = head.framing.kind is Kind.CHUNKED
        as_llhttp = (head.status, head.reason, head.fields, is_chunked)
        assert read_with_llhttp(raw) == as_llhttp, stream
    # Otherwise little was compared.
    assert accepted > COUNT / 25
