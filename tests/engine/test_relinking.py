import gzip

import pytest

from gateway.core.framing import CHUNKED, EMPTY, NO_BODY, UNTIL_CLOSE, Framing, Kind
from gateway.core.message import ReplyHead
from gateway.engine.inflow import Take
from gateway.engine.relay import ReplyBody
from gateway.engine.relinking import MOST_HELD_BYTES, HeldBody, relink, relink_whole
from gateway.errors import UpstreamBroken
from tests.core.link_world import HERE, PLATFORM, TO_HERE
from tests.policy.world import fields_of, plan_of, reply_of

PLAN = plan_of("GET", "/restapi")
JSON = 'Content-Type: application/json\nETag: "a"'
GZIP = f"{JSON}\nContent-Encoding: gzip"
BODY = f'{{"uri":"{PLATFORM}/restapi/1"}}'.encode()
OURS = f'{{"uri":"{HERE}/restapi/1"}}'.encode()
PLAIN = b'{"id":1}'


class Body:
    """A body that comes in pieces; an error may be the last of them."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)

    def take_body(self) -> tuple[bytes, bool]:
        return b"", False

    async def read_body(self, idle_s: float, take: Take | None = None) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


async def read(body: ReplyBody) -> bytes:
    data, is_last = body.take_body()
    while not is_last:
        piece = await body.read_body(1.0)
        data += piece
        is_last = not piece
    return data


def length(data: bytes) -> Framing:
    return Framing(Kind.LENGTH, len(data))


async def relinked(head: ReplyHead, *pieces: bytes | Exception) -> tuple[ReplyHead, bytes]:
    new, body = await relink(head, Body(*pieces), TO_HERE, PLAN, 1.0)
    return new, await read(body)


async def test_without_links_everything_passes() -> None:
    head, body = reply_of(200, JSON, length(BODY)), HeldBody(BODY)
    assert await relink(head, body, None, PLAN, 1.0) == (head, body)


async def test_a_short_body_that_changes_gets_its_right_length() -> None:
    head, data = await relinked(reply_of(200, JSON, length(BODY)), BODY[:9], BODY[9:])
    assert data == OURS
    assert head.framing == length(OURS)
    assert head.fields == fields_of('Content-Type: application/json\nETag: W/"a"')


@pytest.mark.parametrize(("lines", "data"), [(JSON, PLAIN), (GZIP, gzip.compress(PLAIN, mtime=0))])
async def test_a_short_body_in_which_nothing_changes_leaves_as_it_came(
    lines: str, data: bytes
) -> None:
    head = reply_of(200, lines, length(data))
    assert await relinked(head, data) == (head, data)


async def test_a_short_body_in_gzip_stays_in_gzip() -> None:
    packed = gzip.compress(BODY)
    head, data = await relinked(reply_of(200, GZIP, length(packed)), packed)
    assert gzip.decompress(data) == OURS
    assert head.framing == length(data)


@pytest.mark.parametrize(
    "data",
    [BODY, gzip.compress(BODY) + b"\0\0", gzip.compress(BODY)[:-1], gzip.compress(BODY)[:3]],
    ids=["plain", "padded", "short", "begun"],
)
async def test_a_short_body_that_is_not_the_gzip_it_claims_leaves_as_it_came(data: bytes) -> None:
    head = reply_of(200, GZIP, length(data))
    assert await relinked(head, data) == (head, data)


async def test_a_streaming_body_that_begins_as_no_gzip_is_an_error_before_its_head() -> None:
    with pytest.raises(UpstreamBroken, match="not the gzip"):
        await relink(reply_of(200, GZIP, CHUNKED), HeldBody(BODY), TO_HERE, PLAN, 1.0)


async def test_a_short_body_that_unfolds_to_very_much_streams() -> None:
    big = b'["' + b"x" * 2_000_000 + b'",' + BODY + b"]"
    packed = gzip.compress(big)
    assert len(packed) <= MOST_HELD_BYTES
    head, data = await relinked(reply_of(200, GZIP, length(packed)), packed)
    assert head.framing == CHUNKED
    assert gzip.decompress(data) == big.replace(BODY, OURS)


@pytest.mark.parametrize("framing", [CHUNKED, UNTIL_CLOSE, Framing(Kind.LENGTH, 100_000)])
async def test_a_body_of_unknown_or_great_length_streams(framing: Framing) -> None:
    head, data = await relinked(reply_of(200, JSON, framing), BODY[:20], BODY[20:], b" " * 10)
    assert data == OURS + b" " * 10
    assert head.framing == CHUNKED
    assert head.fields == fields_of('Content-Type: application/json\nETag: W/"a"')


async def test_a_body_in_gzip_streams_in_gzip() -> None:
    head, data = await relinked(reply_of(200, GZIP, CHUNKED), gzip.compress(BODY))
    assert gzip.decompress(data) == OURS
    assert head.framing == CHUNKED


async def test_what_was_here_already_streams_first() -> None:
    _, body = await relink(reply_of(200, JSON, CHUNKED), HeldBody(b'{"a":1}'), TO_HERE, PLAN, 1.0)
    assert body.take_body() == (b'{"a":1}', False)
    assert await body.read_body(1.0) == b""


async def test_a_body_of_another_type_is_not_looked_at() -> None:
    head = reply_of(200, "Content-Type: audio/mpeg", length(BODY))
    body = HeldBody(BODY)
    assert await relink(head, body, TO_HERE, PLAN, 1.0) == (head, body)


async def test_an_empty_body_and_none_change_nothing_but_what_a_head_tells_of_bytes() -> None:
    head = reply_of(200, JSON, EMPTY)
    assert (await relinked(head))[0] == head
    told, _ = await relinked(reply_of(200, f"{JSON}\nContent-Length: 40", NO_BODY))
    assert told.fields == fields_of('Content-Type: application/json\nETag: W/"a"')
    silent = reply_of(204, 'ETag: "a"', NO_BODY)
    assert (await relinked(silent))[0] == silent


async def test_links_in_fields_are_rewritten_whatever_the_body() -> None:
    head, _ = await relinked(reply_of(302, f"Location: {PLATFORM}/restapi", EMPTY))
    assert head.fields == fields_of(f"Location: {HERE}/restapi")


@pytest.mark.parametrize("framing", [CHUNKED, length(BODY)])
async def test_a_body_that_breaks_off_is_an_error(framing: Framing) -> None:
    with pytest.raises(UpstreamBroken, match="gone"):
        await relinked(reply_of(200, JSON, framing), BODY[:9], UpstreamBroken("gone"))


@pytest.mark.parametrize(
    ("status", "lines", "body"),
    [
        *((200, JSON, BODY), (200, JSON, PLAIN), (200, "Content-Type: application/json", BODY)),
        *((404, JSON, BODY), (200, "Content-Type: text/html", BODY), (206, JSON, BODY)),
        *((200, f"{JSON}\nLink: <{PLATFORM}/restapi/1>", BODY), (200, JSON, b"")),
    ],
)
async def test_a_reply_that_is_whole_leaves_as_one_that_is_read(
    status: int, lines: str, body: bytes
) -> None:
    head = reply_of(status, lines, length(body))
    told = relink_whole(head, body, TO_HERE, PLAN)
    assert told is not None
    assert (told[0].fields, told[0].framing, told[1]) == _seen(*await relinked(head, body))


def _seen(head: ReplyHead, body: bytes) -> tuple[object, Framing, bytes]:
    return head.fields, head.framing, body


@pytest.mark.parametrize(
    ("lines", "framing"),
    [
        *((JSON, CHUNKED), (JSON, UNTIL_CLOSE), (GZIP, length(BODY))),
        (JSON, Framing(Kind.LENGTH, MOST_HELD_BYTES + 1)),
    ],
)
def test_a_whole_reply_that_is_coded_or_would_stream_is_left_to_who_reads_it(
    lines: str, framing: Framing
) -> None:
    assert relink_whole(reply_of(200, lines, framing), BODY, TO_HERE, PLAN) is None
