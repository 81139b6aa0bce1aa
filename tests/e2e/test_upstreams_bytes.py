"""What leaves: verb, target, fields, framing and body, byte for byte."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import (
    OK,
    PATH,
    TOKEN,
    Peer,
    answering,
    fields_of,
    request,
    running,
    scripted,
    values,
)

BODY = b'{"text":"\xc3\xa9\x00\xff\r\n\r\n0\r\n\r\n"}'
LIMIT = "limits.replay_body_bytes=1000"


async def sent(*requests: bytes, sets: tuple[str, ...] = (), grant: str = "static") -> bytes:
    """Return what upstream got of requests made one after another on one connection."""
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin, *sets, grant=grant) as gateway,
    ):
        peer = await gateway.dial()
        for one in requests:
            await peer.send(one)
            status, _, body = await peer.read_answer()
            assert (status, body) == (200, b"ok")
        peer.close()
    return b"".join(head + body for head, body in seen)


async def test_the_whole_outbound_request_is_exactly_this() -> None:
    received = await sent(
        request(
            f"PUT {PATH}?b=2&a=%7e&b=&c HTTP/1.1",
            "X-One: 1",
            "accept: */*",
            "X-One: \xe9\xff caf\xe9",
            "Content-Type: application/json",
            "user-agent: theirs/1",
            "Authorization: Bearer theirs",
            "X-Empty:",
            body=b"{}",
        )
    )
    head, _, body = received.partition(b"\r\n\r\n")
    line, host, *fields = head.split(b"\r\n")
    assert line == f"PUT {PATH}?b=2&a=%7e&b=&c HTTP/1.1".encode()
    assert host.startswith(b"Host: 127.0.0.1:")
    assert fields == [
        b"X-One: 1",
        b"accept: */*",
        b"X-One: \xe9\xff caf\xe9",
        b"Content-Type: application/json",
        b"X-Empty: ",
        b"User-Agent: rc-gateway/0.1.0",
        b"X-User-Agent: rc-gateway/0.1.0",
        b"Via: 1.1 rc-gateway",
        b"Content-Length: 2",
        f"Authorization: Bearer {TOKEN}".encode(),
    ]
    assert body == b"{}"


async def test_nothing_is_invented_for_a_request_without_a_body() -> None:
    names = [name for name, _ in fields_of(await sent(request()))]
    assert names == [b"Host", b"User-Agent", b"X-User-Agent", b"Via", b"Authorization"]


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("channel", ["header", "query", "both"])
async def test_a_tunnelled_verb_leaves_as_itself_with_its_body(verb: str, channel: str) -> None:
    override = [f"X-HTTP-Method-Override: {verb}"] if channel != "query" else []
    target = PATH + (f"?a=1&_method={verb.lower()}&b=2" if channel != "header" else "?a=1&b=2")
    received = await sent(
        request(f"POST {target} HTTP/1.1", *override, "Content-Type: text/x", body=BODY)
    )
    head, body = received[: -len(BODY)], received[-len(BODY) :]
    assert head.startswith(f"{verb} {PATH}?a=1&b=2 HTTP/1.1\r\n".encode())
    assert body == BODY
    assert values(head, b"content-length") == [b"%d" % len(BODY)]
    assert values(head, b"content-type") == [b"text/x"]
    assert not values(head, b"x-http-method-override")


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_a_length_of_zero_is_kept_and_none_is_invented(verb: str) -> None:
    answer = OK if verb != "HEAD" else OK[:-2]
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(answer, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        await gateway.ask(request(f"{verb} {PATH} HTTP/1.1", "Content-Length: 0"), verb)
        await gateway.ask(request(f"{verb} {PATH} HTTP/1.1"), verb)
    lengths = [values(head, b"content-length") for head, _ in seen]
    assert lengths == [[b"0"], []]
    assert not any(values(head, b"transfer-encoding") for head, _ in seen)


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    body = b"".join(b"%X;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return body + b"0\r\n" + trailer + b"\r\n"


def unchunk(raw: bytes) -> bytes:
    body = b""
    while raw != b"0\r\n\r\n":
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        assert raw[length : length + 2] == b"\r\n"
        body, raw = body + raw[:length], raw[length + 2 :]
    return body


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
async def test_a_chunked_body_that_may_be_held_leaves_with_a_length(size: int) -> None:
    body = bytes(range(250)) * 4
    raw = chunked(*filter(None, (body[: size // 2], body[size // 2 : size])), trailer=b"X-T: 1\r\n")
    received = await sent(
        request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked", "Trailer: X-T") + raw,
        sets=(LIMIT,),
    )
    head, _, rest = received.partition(b"\r\n\r\n")
    assert values(head + b"\r\n\r\n", b"content-length") == [b"%d" % size]
    assert rest == body[:size]
    assert b"X-T" not in received
    assert b"chunked" not in head.lower()


@pytest.mark.parametrize("size", [1001, 5000, 300_000])
async def test_a_longer_chunked_body_stays_chunked_and_loses_its_trailers(size: int) -> None:
    body = (b"0\r\n\r\n" * size)[:size]
    raw = chunked(body[:700], body[700:], trailer=b"X-T: 1\r\n")
    received = await sent(
        request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked") + raw, sets=(LIMIT,)
    )
    head, _, rest = received.partition(b"\r\n\r\n")
    assert values(head + b"\r\n\r\n", b"transfer-encoding") == [b"chunked"]
    assert not values(head + b"\r\n\r\n", b"content-length")
    assert unchunk(rest) == body
    assert b"X-T" not in received


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_is_the_same_wherever_it_is_split(is_chunked: bool) -> None:
    body = b"ab\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n" * 2
    if is_chunked:
        whole = request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked") + chunked(
            body[:7], body[7:30], body[30:]
        )
    else:
        whole = request(f"POST {PATH} HTTP/1.1", body=body)
    start = whole.index(b"\r\n\r\n")
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            _, received = await peer.read_request()
            got.append(received)
            await peer.send(OK)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for cut in range(start, len(whole)):
            await peer.send(whole[:cut])
            # One turn of the loop lets the pieces arrive apart, often if not always.
            await asyncio.sleep(0)
            await peer.send(whole[cut:])
            assert (await peer.read_answer())[2] == b"ok"
        peer.close()
    assert set(got) == {body}
    assert len(got) == len(whole) - start


@given(st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=4))
def test_whatever_the_bytes_and_the_chunks_the_body_is_equal(body: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    pieces = [body[a:b] for a, b in itertools.pairwise(edges)]
    whole = request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked") + chunked(*pieces)
    received = asyncio.run(sent(whole, sets=(LIMIT,)))
    head, _, rest = received.partition(b"\r\n\r\n")
    assert (rest if len(body) <= 1000 else unchunk(rest)) == body
    assert (b"Content-Length" in head) == (len(body) <= 1000)


async def test_a_credential_that_passes_through_is_the_callers_own() -> None:
    own = ["Authorization: Basic dTpw", "Cookie: a=1", "X-Auth-Token: t", "cookie: b=2"]
    received = await sent(request(f"GET {PATH}?access_token=q HTTP/1.1", *own), grant="passthrough")
    assert received.startswith(f"GET {PATH}?access_token=q HTTP/1.1\r\n".encode())
    passed = [line for line in received.split(b"\r\n") if line.decode("latin-1") in own]
    assert passed == [line.encode() for line in own]
    assert TOKEN.encode() not in received


@pytest.mark.parametrize("grant", ["static", "none"])
async def test_the_callers_credentials_stay_here_otherwise(grant: str) -> None:
    own = ["Authorization: Basic dTpw", "Cookie: a=1", "X-Auth-Token: t", "X_Auth_Token: t"]
    received = await sent(
        request(f"GET {PATH}?access_token=q&a=1&access%5Ftoken=r HTTP/1.1", *own), grant=grant
    )
    assert received.startswith(f"GET {PATH}?a=1 HTTP/1.1\r\n".encode())
    expected = [f"Bearer {TOKEN}".encode()] if grant == "static" else []
    assert values(received, b"authorization") == expected
    assert not [line for line in received.split(b"\r\n") if line.decode("latin-1") in own]


async def test_an_expectation_is_answered_here_and_not_forwarded() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(
            request(f"PUT {PATH} HTTP/1.1", "Expect: 100-continue", "Content-Length: 4")
        )
        assert await peer.read_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await peer.send(b"body")
        assert (await peer.read_answer())[0] == 200
        peer.close()
    ((head, body),) = seen
    assert body == b"body"
    assert not values(head, b"expect")
