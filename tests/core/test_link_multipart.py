import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.link_multipart import MultipartRewriter
from tests.core.link_world import HERE, PLATFORM, TO_HERE, cuts

URI = f'"{PLATFORM}/restapi/v1.0/x"'.encode()
OURS = f'"{HERE}/restapi/v1.0/x"'.encode()
JSON = b"Content-Type: application/json"


def rewrite(*pieces: bytes, boundary: bytes = b"b1") -> bytes:
    rewriter = MultipartRewriter(boundary, TO_HERE)
    return b"".join([*map(rewriter.feed, pieces), rewriter.finish()])


def part(*fields: bytes, body: bytes = URI, boundary: bytes = b"b1") -> bytes:
    return (
        b"--"
        + boundary
        + b"\r\n"
        + b"".join(f + b"\r\n" for f in fields)
        + b"\r\n"
        + body
        + b"\r\n"
    )


END = b"--b1--\r\n"


@pytest.mark.parametrize(
    ("body", "rewritten"),
    [
        (part(JSON) + part(JSON) + END, 2),
        (b"preamble " + URI + b"\r\n" + part(JSON) + END + URI, 1),
        (part(b"content-type:application/scim+json; charset=UTF-8", b"X: y") + END, 1),
        (part(JSON, b"Content-Transfer-Encoding: binary") + END, 1),
        (part(JSON)[:-2], 1),
        (b"--b1 \t\r\n" + part(JSON)[6:] + END, 1),
        (part(JSON, body=b"") + part(b"Content-Type: application/pdf") + END, 0),
        (b"--b1\r\n" + JSON + b"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n" + URI, 0),
        (part(JSON, b"Content-Length: 51") + END, 0),
        (part(JSON, b"Content-Encoding: gzip") + END, 0),
        (part(JSON, b"Content-Transfer-Encoding: base64") + END, 0),
        (part(b"Content-Type: text/plain") + END, 0),
        (part() + END, 0),
        (part(JSON, boundary=b"b12") + END, 0),
        (part(JSON).replace(b"\r\n", b"\n"), 0),
        (b"--b1\r\n" + JSON + b"\r\n--b1\r\nX: y\r\n\r\n" + URI + b"\r\n" + END, 0),
        (b"--b1", 0),
        (b"--b1\r\n" + JSON, 0),
        (URI, 0),
        (b"", 0),
        (b"\r\n--b1\r\n" + JSON + b"\r\n\r\n" + URI, 1),
        (part(JSON) + part(b"Content-Type: text/plain") + part(JSON) + END, 2),
    ],
)
def test_json_parts_are_rewritten_and_nothing_else_wherever_the_bytes_are_cut(
    body: bytes, rewritten: int
) -> None:
    written = rewrite(body)
    assert written.count(OURS) == rewritten
    assert written.replace(OURS, URI) == body
    for pieces in cuts(body):
        assert rewrite(*pieces) == written


def test_a_part_whose_head_is_too_long_to_be_one_stays() -> None:
    body = part(JSON, b"X: " + b"x" * 8192) + part(JSON) + END
    written = rewrite(body)
    assert written.count(OURS) == 1
    assert rewrite(*(body[at : at + 1000] for at in range(0, len(body), 1000))) == written


def test_a_part_is_given_on_before_it_has_ended() -> None:
    rewriter = MultipartRewriter(b"b1", TO_HERE)
    head = b"--b1\r\n" + JSON + b"\r\n\r\n"
    assert rewriter.feed(head + b'{"id":1,') == head + b'{"id":1,'


PIECES = st.lists(
    st.sampled_from(
        [b"--b1", b"\r\n", b"--", b"--b1\r\n", JSON, b"x", b"\r\n\r\n", URI, b" ", b'"']
    )
)


@given(PIECES)
def test_a_whole_body_is_what_its_pieces_become(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert MultipartRewriter(b"b1", TO_HERE).whole(body) == rewrite(body)


@given(PIECES)
def test_what_is_no_multipart_passes_whole_and_alike_for_every_cut(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    written = rewrite(body)
    assert written.replace(OURS, URI) == body
    assert rewrite(*pieces) == written
    assert rewrite(*(body[at : at + 1] for at in range(len(body)))) == written
