"""gateway/core/varying.py: fields and lines are parted alike; what is not plain stays."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.framing import NO_BODY, framing_of
from gateway.core.headers import Fields
from gateway.core.message import Listener
from gateway.core.plain_head import parse_plain_head
from gateway.core.varying import holds_credential, part_fields, part_lines, steady_fields

HERE = Listener(8080)
HOST = (b"Host", b"localhost")
names = st.sampled_from(
    [
        *(b"Accept", b"X-A", b"Content-Type", b"Content-Length", b"content-LENGTH", b"Cookie"),
        *(b"Authorization", b"AUTHORIZATION", b"X-Auth-Token", b"Proxy-Authorization", b"Cookie2"),
        *(b"X-Content-Length", b"Authorization-X", b"Content-Lengths"),
    ]
)
values = st.sampled_from(
    [b"", b"3", b"0", b"007", b"x", b"a b", b"a\tb", b"Bearer s", b"9" * 18, b"9" * 19]
)
plain_fields = st.lists(st.tuples(names, values), max_size=6).map(lambda some: (HOST, *some))
pieces = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"\r", b" ", b": ", b":", b"\x00", b"\xff", b"\r\n b", b"X-A: b"),
        *(b"Cookie", b"Cookie: a", b"\r\nCookie: a", b"Authorization"),
        *(b"Content-Length: 3", b"Content-Length: "),
    ]
)


def lines_of(fields: Fields) -> bytes:
    return b"".join(b"\r\n%b: %b" % field for field in fields)


@given(plain_fields)
def test_the_steady_lines_are_those_of_the_steady_fields(fields: Fields) -> None:
    steady, framing = part_lines(lines_of(fields))
    kept, varying = part_fields(fields)
    lengths = [value for name, value in varying if name.lower() == b"content-length"]
    assert steady == lines_of(kept)
    if lengths:
        is_plain = len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) < 19
        assert framing == (framing_of(int(lengths[0])) if is_plain else None)
    else:
        assert framing is NO_BODY


@given(plain_fields)
def test_a_head_holds_a_credential_when_more_than_its_length_varies(fields: Fields) -> None:
    head = b"GET /cookie:authorization: HTTP/1.1" + lines_of(fields)
    varying = part_fields(fields)[1]
    credentials = [name for name, _ in varying if name.lower() != b"content-length"]
    assert holds_credential(head) == holds_credential(head + b"\r\n\r\n") == bool(credentials)


@given(plain_fields, plain_fields, st.lists(st.tuples(st.integers(0, 400), pieces), max_size=3))
@example((HOST,), (HOST,), [(17, b"\r\nCookie: a")])
@example((HOST,), (HOST, (b"Cookie", b"b"), (b"Content-Length", b"3")), [])
@example((HOST, (b"Content-Length", b"x"), (b"Content-Length", b"3")), (HOST,), [])
@example((HOST,), (HOST, (b"X-A", b"b")), [(17, b"\r\nCookie: a\r\nX-A: b")])
def test_a_head_with_the_steady_lines_of_a_plain_one_is_plain(
    fields: Fields, others: Fields, put: list[tuple[int, bytes]]
) -> None:
    lines, plain = lines_of(fields), lines_of(others)
    for at, piece in put:
        lines = lines[:at] + piece + lines[at:]
    steady, framing = part_lines(lines)
    if steady == part_lines(plain)[0] and framing is not None:
        is_plain = [
            parse_plain_head(b"GET / HTTP/1.1" + some + b"\r\n\r\n", HERE) is not None
            for some in (plain, lines)
        ]
        # The other one may say its length twice.
        assert is_plain != [True, False]


def test_the_steady_fields_are_those_without_credentials_and_length() -> None:
    fields = ((b"authorization", b"a"), (b"Cookie", b"b"), (b"X-Auth-Token", b"c"))
    plain = (HOST, (b"Accept", b"*/*"))
    assert steady_fields((*fields, *plain, (b"Content-Length", b"3"))) == plain


@pytest.mark.parametrize(
    "line",
    [
        *(b"Cookie:a", b"Cookie:  a", b"Cookie: a ", b" Cookie: a", b"Cookie : a", b"Cookie: \xff"),
        *(b"Content-Length: 3 ", b"Content-Length:3", b"Content-Length", b"Cookie"),
    ],
)
def test_a_line_that_is_not_plain_stays(line: bytes) -> None:
    lines = b"\r\nHost: a\r\n" + line + b"\r\nAccept: b"
    assert part_lines(lines) == (lines, NO_BODY)


@pytest.mark.parametrize("value", [b"3\r\ncontent-length: 3", b"+3", b"3, 3", b"", b"9" * 19])
def test_a_length_that_is_said_twice_or_no_number_is_none(value: bytes) -> None:
    assert part_lines(b"\r\nContent-Length: " + value) == (b"", None)
