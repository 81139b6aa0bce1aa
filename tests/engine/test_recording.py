"""What is taken down of a request: names and counts, never values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import listening
from gateway.core.grammar import FIELD_VALUE
from gateway.core.message import Listener, RawHead
from gateway.engine.events import Asked
from gateway.engine.recording import note_head, show_id
from tests.wire import OK, PATH, answering, request, running, scripted

TRACE = "0af7651916cd43dd8448eb211c80319c"


def taken_down(target: bytes, *fields: tuple[bytes, bytes]) -> Asked:
    asked = Asked()
    note_head(asked, RawHead(b"GET", target, b"HTTP/1.1", fields))
    return asked


def test_a_path_is_taken_down_and_of_a_query_the_names() -> None:
    asked = taken_down(b"/a/b?code=secret&secret&x=&%63=1", (b"user-agent", b"me/1"))
    assert asked.path == b"/a/b"
    assert "secret" not in repr(asked)
    assert asked.query_names[:2] == ("code", "x")
    assert (asked.user_agent, asked.version, asked.wire_method) == (b"me/1", "HTTP/1.1", "GET")


@pytest.mark.parametrize("target", [b"http://user:secret@a/b", b"*", b"secret:443"])
def test_what_is_not_plainly_a_path_is_not_taken_down(target: bytes) -> None:
    assert taken_down(target).path == b""


@pytest.mark.parametrize(
    ("value", "trace_id"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"cc-{TRACE}-b7ad6b7169203331-01-more", TRACE),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", ""),
        ("nonsense", ""),
    ],
)
def test_a_trace_is_known_by_its_id(value: str, trace_id: str) -> None:
    assert taken_down(b"/", (b"Traceparent", value.encode())).trace_id == trace_id


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"7c1f5a6e-6a1b-11ef-9d3a-005056bf7145", "7c1f5a6e-6a1b-11ef-9d3a-005056bf7145"),
        (b"a\tb\xe9", r"a\tb\xe9"),
        (b"a" * 128, "a" * 128),
        (b"a" * 129, "a" * 128),
        (b"\xe9" + b"a" * 200, r"\xe9" + "a" * 124),
        (b"", ""),
    ],
)
def test_an_id_of_the_vendors_is_shown_in_ascii_and_not_at_any_length(
    value: bytes, shown: str
) -> None:
    assert show_id(value) == shown


@given(st.from_regex(FIELD_VALUE, fullmatch=True))
def test_any_value_of_a_field_is_shown_as_printable_text(value: bytes) -> None:
    shown = show_id(value)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 128


async def test_a_forwarded_request_is_told_of_once_and_in_full() -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nRCRequestId: rc-1\r\n\r\n")
    async with scripted(answering(answer)) as upstream, running(upstream.origin) as gateway:
        line = f"POST {PATH}?_method=DELETE&a=b HTTP/1.1"
        await gateway.ask(request(line, "X-Request-Id: mine", body=b"hello"))
        (record,) = gateway.records
    asked = record.asked
    assert (record.request_id, record.rc_request_id) == ("mine", "rc-1")
    assert (asked.wire_method, asked.method) == ("POST", "DELETE")
    assert (asked.caller, asked.upstream) == ("local", "platform")
    assert (asked.path, asked.query_names) == (PATH.encode(), ("a",))
    assert record.client_address == ""
    assert (record.status, record.upstream_status, record.code, record.cut) == (200, 200, "", "")
    assert (record.bytes_in, record.bytes_out, record.attempts) == (5, 2, 1)
    assert record.upstream_first_byte_s is not None
    assert record.upstream_s is not None
    assert 0 <= record.queue_s <= record.upstream_first_byte_s + record.queue_s <= record.total_s


async def test_where_others_may_come_from_it_is_told_from_where_a_request_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chunked = request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked") + b"0\r\n\r\n"
    monkeypatch.setattr(listening, "listener_of", lambda sock: Listener(sock.getsockname()[1]))
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        # The last two are the main lane's, to which the connection is handed.
        for one in (request(), request("GET /nowhere HTTP/1.1"), chunked, b"\xff\r\n\r\n"):
            await peer.send(one)
            await peer.read_answer()
        peer.close()
        await gateway.recorder.wait_for(4)
    assert {record.client_address for record in gateway.records} == {"127.0.0.1"}


async def test_a_refused_request_is_told_of_as_far_as_it_was_read() -> None:
    async with running("http://127.0.0.1:1") as gateway:
        _, _, body = await gateway.ask(request("GET /nowhere?a=b HTTP/1.1"))
        await gateway.ask(b"\xff")
        refused, flawed = gateway.records
    assert (refused.status, refused.code, refused.asked.path) == (404, "no-route", b"/nowhere")
    assert refused.bytes_out == len(body)
    assert (refused.asked.query_names, refused.asked.upstream) == (("a",), "")
    assert refused.upstream_status == 0
    assert (flawed.status, flawed.code) == (400, "bad-request")
    assert (flawed.asked.path, flawed.asked.method) == (b"", "")
