"""gateway/core/plain_head.py: a subset of what llhttp and h11 read, and read the same way."""

from typing import Any, cast

import h11
import pytest
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.message import Listener, RawHead
from gateway.core.plain_head import parse_plain_head
from tests.core.vectors import Case, bytes_of, fields_of, name_of, read_vectors

LISTENER = Listener(8080, True)


def plain(head: bytes) -> RawHead | None:
    return parse_plain_head(head, LISTENER)


@pytest.mark.parametrize("case", read_vectors("core_plain_head"), ids=name_of)
def test_a_head_is_plain_or_the_other_lanes(case: Case) -> None:
    found = plain(bytes_of(case["raw"]))
    if "method" not in case:
        assert found is None
        return
    method, target = bytes_of(case["method"]), bytes_of(case["target"])
    assert found == RawHead(method, target, b"HTTP/1.1", fields_of(case["fields"]), LISTENER)


def read_by_llhttp(head: bytes) -> RawHead | None:
    """Return the one head that aiohttp finds, None when it refuses or wants more."""
    parser = HttpRequestParser(cast(Any, None), cast(Any, None), 65536)
    try:
        messages, upgraded, rest = parser.feed_data(head)
    except (HttpProcessingError, ValueError):
        return None
    if len(messages) != 1 or upgraded or rest:
        return None
    message = messages[0][0]
    version = b"HTTP/%d.%d" % tuple(message.version)
    target = message.path.encode("utf-8", "surrogateescape")
    return RawHead(message.method.encode(), target, version, message.raw_headers, LISTENER)


def read_by_h11(head: bytes) -> tuple[bytes, bytes, list[tuple[bytes, bytes]]] | None:
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(head)
    try:
        event = reader.next_event()
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.Request):
        return None
    return event.method, event.target, list(event.headers.raw_items())


names = st.sampled_from([b"X-Foo", b"x-a", b"Accept", b"a!#$%&'*+-.^_`|~9", b"If-Match"])
values = st.sampled_from([b"", b"a", b"a \t b", b"text/html; q=0.5, */*", b"x" * 300])
targets = st.one_of(
    st.sampled_from([b"/", b"/restapi/v1.0?a=%2B&a=b", b"//x/../y", b"/a[0]='\"<>|{}^`\\"]),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12).map(
        lambda text: b"/" + text.encode()
    ),
)
methods = st.sampled_from([b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"])
lengths = st.sampled_from([(), ((b"Content-Length", b"0"),), ((b"content-length", b"00"),)])
ends = st.sampled_from([(), ((b"Connection", b"keep-alive"),), ((b"connection", b"Close"),)])


def written(
    method: bytes, target: bytes, fields: tuple[tuple[bytes, bytes], ...], eol: bytes = b"\r\n"
) -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1", *(name + b": " + v for name, v in fields)]
    return eol.join(lines) + eol + eol


@given(methods, targets, st.lists(st.tuples(names, values), max_size=6), lengths, ends)
def test_what_programs_send_is_plain_and_has_one_reading(
    method: bytes,
    target: bytes,
    fields: list[tuple[bytes, bytes]],
    length: tuple[tuple[bytes, bytes], ...],
    end: tuple[tuple[bytes, bytes], ...],
) -> None:
    listed = ((b"Host", b"localhost"), *fields, *length, *end)
    head = written(method, target, listed)
    expected = RawHead(method, target, b"HTTP/1.1", listed, LISTENER)
    assert plain(head) == expected
    if b"#" not in target:
        assert read_by_llhttp(head) == expected


odd_lines = st.sampled_from(
    [
        *(b"Host: b", b"Content-Length: 1", b"Transfer-Encoding: chunked", b"Expect: 100-continue"),
        *(b"Connection: upgrade", b"Connection: close, te", b"Upgrade: h2c", b"a:b", b"a : b"),
        *(b" folded", b"", b"a: b ", b"a:  b", b"a: \tb", b"a: \xff", b"a: b\x00", b"a: b\rc"),
        *(b"Content-Type: a", b"ETag: a", b"User-Agent: a", b"Server: a", b"Max-Forwards: 1"),
        *(b": a", b"\xff: a", b"TE: trailers", b"Keep-Alive: 5", b"Sec-WebSocket-Key1: a"),
    ]
)
starts = st.sampled_from(
    [
        *(b"GET / HTTP/1.1", b"GET  / HTTP/1.1", b"GET / HTTP/1.0", b"GET /", b"get / HTTP/1.1"),
        *(b"GET http://a/ HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /\x7f x"),
    ]
)
lines = st.one_of(st.tuples(names, values).map(b": ".join), odd_lines)
heads = st.tuples(starts, st.lists(lines, max_size=4), st.sampled_from([b"\r\n", b"\n"])).map(
    lambda made: made[2].join([made[0], b"Host: a", *made[1], b"", b""])
)
edits = st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=3)), max_size=2)


@given(st.one_of(heads, st.builds(written, methods, targets, st.just(((b"Host", b"a"),)))), edits)
def test_what_is_plain_is_read_alike_by_llhttp_and_h11(
    head: bytes, changes: list[tuple[int, bytes]]
) -> None:
    for at, new in changes:
        head = head[:at] + new + head[at + len(new) :]
    found = plain(head)
    if found is None:
        return
    # A body that is declared would be waited for; llhttp takes a fragment apart.
    if b"#" not in found.target and not head.lower().count(b"content-length"):
        assert read_by_llhttp(head) == found
        assert read_by_h11(head) == (found.method, found.target, list(found.fields))
