"""gateway/core/framing.py."""

import re

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import (
    CHUNKED,
    EMPTY,
    NO_BODY,
    UNTIL_CLOSE,
    Ambiguous,
    Framing,
    Kind,
    frame_reply,
    frame_request,
    framing_fields,
)
from gateway.core.headers import Fields, find_flaw
from tests.core.vectors import Case, bytes_of, fields_of, name_of, read_vectors

LENGTHS = [b"0", b"1", b"5", b"007", b"5, 5", b"5,6", b"+5", b"-1", b"0x5", b"", b"5.", b"1_0"]
CODINGS = [b"chunked", b"Chunked", b"identity", b"chunked, chunked", b"gzip", b"", b"chunked,"]
fields = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from([b"Content-Length", b"CONTENT-LENGTH"]), st.sampled_from(LENGTHS)
        ),
        st.tuples(st.just(b"Transfer-Encoding"), st.sampled_from(CODINGS)),
        st.tuples(st.sampled_from([b"X-Foo", b"Content_Length"]), st.sampled_from(LENGTHS)),
    ),
    max_size=3,
).map(tuple)
versions = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0"])


def frame(case: Case) -> Framing:
    version = bytes_of(case.get("version", "HTTP/1.1"))
    if "status" in case:
        return frame_reply(fields_of(case["fields"]), version, case["method"], case["status"])
    return frame_request(fields_of(case["fields"]), version)


@pytest.mark.parametrize(
    "case",
    [*read_vectors("core_framing", "request"), *read_vectors("core_framing", "reply")],
    ids=name_of,
)
def test_a_message_has_one_length_or_is_refused(case: Case) -> None:
    if "refused" in case:
        with pytest.raises(Ambiguous) as caught:
            frame(case)
        assert case["refused"] in str(caught.value)
    else:
        assert frame(case) == Framing(Kind(case["kind"]), case.get("length", 0))


def test_a_length_of_zero_is_no_body() -> None:
    assert not NO_BODY.has_body
    assert not EMPTY.has_body
    assert Framing(Kind.LENGTH, 1).has_body
    assert CHUNKED.has_body
    assert UNTIL_CLOSE.has_body


def read_with_h11(fields: Fields, version: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return the body and the rest that h11 sees in a request followed by `body`."""
    peer = h11.Connection(h11.SERVER)
    lines = [b"POST / " + version, b"Host: a", *(b": ".join(field) for field in fields)]
    peer.receive_data(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    seen = b""
    while not isinstance(event := peer.next_event(), h11.EndOfMessage):
        assert not isinstance(event, type(h11.NEED_DATA)), "h11 waits for more"
        seen += bytes(event.data) if isinstance(event, h11.Data) else b""
    return seen, peer.trailing_data[0]


def body_for(framing: Framing) -> tuple[bytes, bytes]:
    """Return a body as it is framed on the wire, and in clear."""
    if framing.kind is Kind.CHUNKED:
        return b"3\r\nabc\r\n0\r\n\r\n", b"abc"
    return b"x" * framing.length, b"x" * framing.length


@given(fields, versions)
def test_h11_sees_the_same_end_of_an_accepted_request(fields: Fields, version: bytes) -> None:
    try:
        framing = frame_request(fields, version)
    except Ambiguous as error:
        reason = str(error)
        assert reason.isascii()
        assert reason.isprintable()
        return
    wire, clear = body_for(framing)
    rest = b"GET / HTTP/1.1\r\n\r\n"
    assert read_with_h11(fields, version, wire + rest) == (clear, rest)


@given(fields, versions, st.sampled_from(["GET", "HEAD", "POST", "DELETE"]), st.integers(100, 999))
def test_a_reply_is_framed_as_it_declares_or_has_no_body(
    fields: Fields, version: bytes, method: str, status: int
) -> None:
    is_bodiless = method == "HEAD" or status < 200 or status in (204, 304)
    try:
        framing = frame_reply(fields, version, method, status)
    except Ambiguous as error:
        reason = re.escape(str(error))
    else:
        declared = frame_request(fields, version)
        if is_bodiless:
            assert framing == NO_BODY
        else:
            assert framing == (UNTIL_CLOSE if declared == NO_BODY else declared)
        return
    with pytest.raises(Ambiguous, match=f"^{reason}$"):
        frame_request(fields, version)


@given(st.binary(max_size=24))
def test_a_length_is_digits_and_nothing_else(value: bytes) -> None:
    fields = ((b"Content-Length", value),)
    if value.isdigit() and len(value) < 19:
        assert find_flaw(fields) is None
        assert frame_request(fields, b"HTTP/1.1").length == int(value)
    else:
        with pytest.raises(Ambiguous, match="is not a number of bytes"):
            frame_request(fields, b"HTTP/1.1")


@pytest.mark.parametrize(
    "framing", [NO_BODY, EMPTY, CHUNKED, UNTIL_CLOSE, Framing(Kind.LENGTH, 42)]
)
def test_the_line_is_that_of_the_field_and_says_what_was_meant(framing: Framing) -> None:
    told = framing_fields(framing)
    assert framing.line == b"".join(b"%b: %b\r\n" % one for one in told)
    if told:
        assert frame_request(told, b"HTTP/1.1") == framing
