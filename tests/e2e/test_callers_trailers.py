"""What follows a chunked body belongs to that body, and to nothing else."""

import pytest

from gateway.engine.body_intake import MAX_FIELDS
from tests.wire import OK, PATH, answering, fields_of, request, running, scripted, values

POST = f"POST {PATH} HTTP/1.1"
TRAILERS = (
    "X-HTTP-Method-Override: DELETE",
    "Authorization: Bearer EVIL",
    "Connection: close",
    "Host: evil.example",
    "Content-Type: text/evil",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "X-Last: 1",
)


def chunked(trailer: str) -> bytes:
    head = request(POST, "Content-Type: text/plain", "Transfer-Encoding: chunked")
    return head + f"5\r\nhello\r\n0\r\nX-First: 1\r\n{trailer}\r\n\r\n".encode()


@pytest.mark.parametrize("grant", ["static", "passthrough"])
@pytest.mark.parametrize("trailer", TRAILERS)
async def test_a_trailer_is_dropped_and_is_no_field_of_the_next_request(
    trailer: str, grant: str
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    script = scripted(answering(OK, seen=seen))
    async with script as upstream, running(upstream.origin, grant=grant) as gateway:
        peer = await gateway.dial()
        await peer.send(chunked(trailer))
        assert (await peer.read_answer())[0] == 200
        await peer.send(request(POST, "X-Own: 1", body=b"next"))
        assert (await peer.read_answer())[0] == 200
        peer.close()
    (first, body), (second, next_body) = seen
    assert (body, next_body) == (b"hello", b"next")
    assert second.startswith(b"POST ")
    assert values(second, b"x-own") == [b"1"]
    for head in (first, second):
        assert not {b"x-first", b"x-last"} & {name.lower() for name, _ in fields_of(head)}
        assert b"evil" not in head.lower()


async def test_more_fields_than_anybody_needs_are_refused() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        fields = [f"X-{number}: 1" for number in range(MAX_FIELDS - 1)]
        assert (await gateway.ask(request(f"GET {PATH} HTTP/1.1", *fields)))[0] == 200
        status, head, body = await gateway.ask(request(f"GET {PATH} HTTP/1.1", *fields, "Y: 1"))
        assert (status, values(head, b"x-gateway-error")) == (431, [b"head-too-large"])
        assert b"too many fields" in body


async def test_a_head_of_just_the_most_bytes_is_taken() -> None:
    limit = "limits.max_head_bytes=32768"
    script = scripted(answering(OK))
    async with script as upstream, running(upstream.origin, limit) as gateway:
        tight = request(f"GET {PATH} HTTP/1.1").replace(b": ", b":")[:-2]
        size = 32768 - len(tight) - len(b"a:\r\n\r\n")
        for more, status in ((0, 200), (1, 431)):
            sent = tight + b"a:" + b"b" * (size + more) + b"\r\n\r\n"
            assert (await gateway.ask(sent))[0] == status
