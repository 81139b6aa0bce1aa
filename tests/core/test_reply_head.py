"""gateway/core/reply_head.py."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import Framing, Kind
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.core.reply_head import is_persistent, parse_reply_head
from gateway.errors import UpstreamBroken
from tests.core.vectors import Case, attempt, bytes_of, fields_of, name_of, read_vectors


def said_by(head: ReplyHead) -> tuple[int, bytes, bytes, Fields, Framing]:
    return head.status, head.reason, head.version, head.fields, head.framing


@pytest.mark.parametrize("case", read_vectors("core_reply_head"), ids=name_of)
def test_a_head_is_read_strictly_or_refused(case: Case) -> None:
    raw, method = bytes_of(case["raw"]), case.get("method", "GET")
    if "refused" in case:
        with pytest.raises(UpstreamBroken) as caught:
            parse_reply_head(raw, method)
        assert case["refused"] in caught.value.message
        assert "hunter2" not in caught.value.message
        return
    head = parse_reply_head(raw, method)
    assert said_by(head) == (
        case["status"],
        bytes_of(case.get("reason", "")),
        bytes_of(case.get("version", "HTTP/1.1")),
        fields_of(case.get("fields", [])),
        Framing(Kind(case["kind"]), case.get("length", 0)),
    )


names = st.sampled_from([b"X-Foo", b"x-foo", b"Set-Cookie", b"a!#$%&'*+-.^_`|~9"])
values = st.one_of(st.sampled_from([b"", b"a", b"a \t b", b"\xff:\x80"]), st.binary(max_size=6))
spaces = st.sampled_from([b"", b" ", b"\t", b"  \t"])
odd_lines = st.sampled_from(
    [
        *(b"Content-Length: 3", b"Content-Length: 3, 3", b"Transfer-Encoding: chunked"),
        *(
            b"",
            b" a",
            b"a",
            b": a",
            b"a : b",
            b"a: b\x00",
            b"a: b\rc: d",
            b"a: b\nc: d",
            b"\xff: a",
        ),
    ]
)
lines = st.one_of(
    st.tuples(names, st.just(b":"), spaces, values, spaces).map(b"".join),
    odd_lines,
)
starts = st.one_of(
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 404 Not Found", b"HTTP/1.1 204 "]),
    st.tuples(
        st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2"]),
        st.sampled_from([b" ", b"  ", b"\t"]),
        st.integers(0, 1100).map(lambda status: b"%d" % status),
        st.sampled_from([b"", b" ", b" x\xff", b" x\x00", b"\rx"]),
    ).map(b"".join),
)


def read_naively(raw: bytes) -> tuple[bytes, int, list[tuple[bytes, bytes]]]:
    """Read a head that is known to be well formed, with nothing but splits."""
    start, *rest = raw.decode("latin-1").split("\r\n")[:-2]
    version, status, *_ = start.split(" ", 2)
    pairs = [line.split(":", 1) for line in rest]
    fields = [(name.encode(), value.strip(" \t").encode("latin-1")) for name, value in pairs]
    return version.encode(), int(status), fields


def read_with_h11(raw: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(raw)
    event = peer.next_event()
    assert isinstance(event, h11.Response | h11.InformationalResponse)
    return event.status_code, [(bytes(name), bytes(value)) for name, value in event.headers]


@given(starts, st.lists(lines, max_size=4))
def test_an_accepted_head_is_read_as_h11_and_a_naive_reader_do(
    start: bytes, rest: list[bytes]
) -> None:
    raw = b"\r\n".join([start, *rest]) + b"\r\n\r\n"
    head = attempt(parse_reply_head, raw, "GET")
    if isinstance(head, ReplyHead):
        assert read_naively(raw) == (head.version, head.status, list(head.fields))
        folded = [(name.lower(), value) for name, value in head.fields]
        assert read_with_h11(raw) == (head.status, folded)
        assert b"\r\n".join([start, *rest]).count(b"\n") == len(head.fields)
    else:
        assert isinstance(head, UpstreamBroken)


@given(st.binary(), st.sampled_from(["GET", "HEAD"]))
def test_no_bytes_raise_anything_but_upstream_broken(raw: bytes, method: str) -> None:
    for text in (raw, raw + b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + raw + b"\r\n\r\n"):
        head = attempt(parse_reply_head, text, method)
        assert isinstance(head, ReplyHead | UpstreamBroken)


@pytest.mark.parametrize("byte", range(256))
def test_a_byte_of_a_value_is_visible_or_white_space(byte: int) -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-Foo: a" + bytes([byte]) + b"b\r\n\r\n"
    if byte == 0x09 or 0x20 <= byte <= 0x7E or byte >= 0x80:
        assert parse_reply_head(raw, "GET").fields == ((b"X-Foo", b"a" + bytes([byte]) + b"b"),)
    else:
        with pytest.raises(UpstreamBroken, match="a malformed field line, number 1"):
            parse_reply_head(raw, "GET")


def test_white_space_costs_linear_time() -> None:
    for value in (b" " * 100_000 + b"\x00", b"a" + b" \t" * 50_000 + b"\x00", b"a " * 50_000):
        raw = b"HTTP/1.1 200 OK\r\nX-Foo:" + value + b"\r\n\r\n"
        head = attempt(parse_reply_head, raw, "GET")
        assert isinstance(head, ReplyHead if value.endswith(b" ") else UpstreamBroken)


@pytest.mark.parametrize(
    ("head", "persistent"),
    [
        ("HTTP/1.1 200 OK", True),
        ("HTTP/1.1 200 OK|Connection: keep-alive", True),
        ("HTTP/1.1 200 OK|Connection: close", False),
        ("HTTP/1.1 200 OK|Connection: foo, CLOSE", False),
        ("HTTP/1.1 200 OK|Connection: keep-alive|Connection: close", False),
        ("HTTP/1.0 200 OK", False),
        ("HTTP/1.0 200 OK|Connection: Keep-Alive", True),
        ("HTTP/1.0 200 OK|Connection: close, keep-alive", False),
        ("HTTP/1.1 204 No|Content-Length: 0", True),
        ("HTTP/1.1 204 No|Content-Length: 1", False),
        ("HTTP/1.1 204 No|Transfer-Encoding: chunked", False),
        ("HTTP/1.1 304 Not|Content-Length: 7", True),
    ],
)
def test_a_connection_persists_when_upstream_says_so_and_can_be_trusted(
    head: str, persistent: bool
) -> None:
    raw = head.replace("|", "\r\n").encode() + b"\r\n\r\n"
    assert is_persistent(parse_reply_head(raw, "GET")) is persistent
