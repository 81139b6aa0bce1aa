"""gateway/core/chunked.py."""

from collections.abc import Iterable

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.chunked import LAST_CHUNK, BadChunk, ChunkedReader, frame_chunk, render_chunk
from tests.core.vectors import Case, bytes_of, name_of, read_vectors

CASES = read_vectors("core_chunked")
Verdict = tuple[bytes, bool, bytes] | str


def read(pieces: Iterable[bytes]) -> Verdict:
    """Return the body, whether it has ended, and the rest; or why the stream is refused."""
    reader = ChunkedReader()
    body = b""
    try:
        for piece in pieces:
            body += b"".join(reader.feed(piece))
    except BadChunk as error:
        return str(error)
    return body, reader.done, reader.rest if reader.done else b""


def cuts_of(stream: bytes) -> list[list[bytes]]:
    """Return the stream at once, byte by byte, and cut in two at every position."""
    single = [stream[at : at + 1] for at in range(len(stream))]
    return [[stream], single, *([stream[:at], stream[at:]] for at in range(len(stream) + 1))]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_stream_has_one_verdict_wherever_it_is_cut(case: Case) -> None:
    for pieces in cuts_of(bytes_of(case["stream"])):
        verdict = read(pieces)
        if "refused" in case:
            assert isinstance(verdict, str)
            assert case["refused"] in verdict
        else:
            rest = bytes_of(case.get("rest", ""))
            assert verdict == (bytes_of(case.get("body", "")), not case.get("waits"), rest)


chunks = st.lists(st.binary(min_size=1, max_size=20), max_size=5)
# Without the white space before ";" that the RFC lets a recipient accept and h11 does not.
extensions = st.sampled_from([b"", b";a", b";a=b", b';\ta = "b \\" c"', b";a;b=c"])
trailers = st.sampled_from([b"", b"X-Sum: 1\r\n", b"X-A:\r\nX-B: \xff c\t\r\n"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Draw a valid stream and its body."""
    body = draw(chunks)
    form = draw(st.sampled_from([b"%x", b"%X", b"%04x"]))
    pieces = [form % len(chunk) + draw(extensions) + b"\r\n" + chunk + b"\r\n" for chunk in body]
    ending = b"0" + draw(extensions) + b"\r\n" + draw(trailers) + b"\r\n"
    return b"".join(pieces) + ending, b"".join(body)


def read_with_h11(stream: bytes) -> tuple[bytes, bool, bytes]:
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + stream)
    assert isinstance(peer.next_event(), h11.Response)
    body = b""
    while isinstance(event := peer.next_event(), h11.Data):
        body += bytes(event.data)
    done = isinstance(event, h11.EndOfMessage)
    return body, done, peer.trailing_data[0] if done else b""


@given(streams(), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"\r\n"]))
def test_h11_reads_a_valid_stream_in_the_same_way(stream: tuple[bytes, bytes], rest: bytes) -> None:
    raw, body = stream
    expected = (body, True, rest)
    assert read_with_h11(raw + rest) == expected
    assert all(read(pieces) == expected for pieces in cuts_of(raw + rest))


@given(streams(), st.data())
def test_a_damaged_stream_is_read_as_h11_does_or_refused_wherever_it_is_cut(
    stream: tuple[bytes, bytes], data: st.DataObject
) -> None:
    raw, _ = stream
    at = data.draw(st.integers(0, len(raw) - 1))
    damage = data.draw(st.sampled_from([b"", b"\r", b"\n", b"0", b"f", b";", b":", b"\x00"]))
    raw = raw[:at] + damage + raw[at + data.draw(st.integers(0, 1)) :]
    verdicts = [read(pieces) for pieces in cuts_of(raw)]
    assert all(verdict == verdicts[0] for verdict in verdicts)
    if not isinstance(verdicts[0], str):
        assert read_with_h11(raw) == verdicts[0]


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_bad_chunk(raw: bytes) -> None:
    assert all(read(pieces) == read([raw]) for pieces in cuts_of(raw))


@pytest.mark.parametrize("start", [b"1;", b"0\r\nX-Sum:"])
def test_a_line_may_have_4096_bytes_and_no_more(start: bytes) -> None:
    line = start.rpartition(b"\n")[2]
    full = start + b"a" * (4096 - len(line))
    for pieces in ([full + b"\r\n"], [full, b"\r\n"], [full + b"\r", b"\n"]):
        assert not isinstance(read(pieces), str)
    for pieces in ([full + b"a\r\n"], [full, b"a\r\n"], [full + b"a\r", b"\n"], [full + b"aa"]):
        assert read(pieces) == "a line of the chunked coding is over 4096 bytes"


def test_a_trailer_section_may_have_64_kib_and_no_more() -> None:
    line = b"X-Sum: " + b"a" * (1024 - 9) + b"\r\n"
    assert read([b"0\r\n", *[line] * 64, b"\r\n"]) == (b"", True, b"")
    refusal = "the trailer section is over 65536 bytes"
    assert read([b"0\r\n", *[line] * 64, b"X:\r\n"]) == refusal
    assert read([b"0\r\n" + line * 65]) == refusal


def test_what_comes_after_the_end_is_kept_and_not_read() -> None:
    reader = ChunkedReader()
    assert reader.feed(b"0\r\n\r\nab") == []
    assert reader.feed(b"c") == []
    assert (reader.done, reader.rest) == (True, b"abc")


def test_a_chunk_passes_in_the_pieces_in_which_it_comes() -> None:
    reader = ChunkedReader()
    assert reader.feed(b"ffffffffffffffff\r\nab") == [b"ab"]
    piece = b"c" * 65536
    (out,) = reader.feed(piece)
    assert out is piece
    assert reader.rest == b""


def test_a_refusal_shows_no_byte_of_a_body() -> None:
    verdict = read([b"hunter2\r\n"])
    assert isinstance(verdict, str)
    assert "hunter2" not in verdict


@given(chunks)
def test_what_is_written_is_read_back(pieces: list[bytes]) -> None:
    stream = b"".join(map(render_chunk, pieces)) + LAST_CHUNK
    assert read([stream]) == (b"".join(pieces), True, b"")


def test_the_largest_chunk_is_known_as_soon_as_it_is_announced() -> None:
    reader = ChunkedReader()
    assert reader.announced == 0
    for data, size in ((b"1F", 0), (b"4\r\n", 500), (b"a" * 500, 500), (b"\r\n5\r\nb", 500)):
        reader.feed(data)
        assert reader.announced == size


@given(st.binary(min_size=1, max_size=300))
def test_a_chunk_in_pieces_is_the_same(data: bytes) -> None:
    assert b"".join(frame_chunk(data)) == render_chunk(data)
