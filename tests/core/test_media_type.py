import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.media_type import is_json, multipart_boundary, parse_media_type


@pytest.mark.parametrize(
    "value",
    [
        b"application/json",
        b"Application/JSON;charset=utf-8",
        b'application/json ; charset="UTF-8"; v=1',
        b"application/json;",
        b"application/json;;charset=us-ascii",
        b"text/json",
        b"application/scim+json",
        b"application/vnd.ringcentral.multipart+json",
        b"application/problem+json; charset=utf-8 ;charset=utf-8",
    ],
)
def test_json_in_utf_8_is_json(value: bytes) -> None:
    assert is_json(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"json",
        b"text/plain",
        b"image/json",
        b"application/jsonx",
        b"application/json-seq",
        b"application/json, text/plain",
        b"application/json; charset=utf-16",
        b"application/json; charset=utf-8; charset=latin-1",
        b"application/json; charset",
        b"application/json x",
        b"audio/mpeg",
    ],
)
def test_what_is_anything_else_or_unclear_is_not(value: bytes) -> None:
    assert not is_json(value)


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        (b"multipart/mixed; boundary=b1", b"b1"),
        (b'Multipart/Mixed;type=x; BOUNDARY="a \\"b"', b'a "b'),
        (b"multipart/mixed", None),
        (b'multipart/mixed; boundary=""', None),
        (b"multipart/form-data; boundary=b1", None),
        (b"multipart", None),
    ],
)
def test_the_boundary_of_a_mixed_body_is_read(value: bytes, boundary: bytes | None) -> None:
    assert multipart_boundary(value) == boundary


@given(st.binary() | st.text('ab/;=" \\,').map(str.encode))
def test_no_value_raises(value: bytes) -> None:
    parse_media_type(value)
