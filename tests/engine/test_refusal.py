"""How much of a 401 is read to judge it, and that nothing of it is lost."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.refusal import decode
from tests.engine.test_attempts import Vendor, owning
from tests.policy.world import reply_of
from tests.wire import PATH, request

BODY = json.dumps({"errorCode": "TokenInvalid", "errors": [{"errorCode": "OAU-149"}]}).encode()


def answer_of(body: bytes, *fields: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in fields)
    return f"HTTP/1.1 401 No\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("", BODY),
        ("Content-Encoding: gzip", gzip.compress(BODY, mtime=0)),
        ("Content-Encoding: deflate", zlib.compress(BODY)),
        ("Content-Encoding: identity", BODY),
    ],
    ids=["plain", "gzip", "deflate", "identity"],
)
async def test_a_compressed_refusal_is_understood(coding: str, body: bytes) -> None:
    vendor = Vendor(answer=answer_of(body, *([coding] if coding else [])))
    async with owning(vendor) as gateway:
        assert (await gateway.ask(request()))[0] == 200


async def test_a_refusal_that_comes_in_pieces_is_read_to_its_end() -> None:
    chunked = b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY)
    vendor = Vendor(answer=chunked + pieces + b"0\r\n\r\n")
    async with owning(vendor) as gateway:
        assert (await gateway.ask(request()))[0] == 200


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 70_000, 400_000])
async def test_an_answer_that_is_passed_on_is_whole(size: int) -> None:
    body = b"y" * size
    vendor = Vendor(answer=answer_of(body))
    async with owning(vendor) as gateway:
        for _ in range(2):
            status, _, received = await gateway.ask(request(f"GET {PATH} HTTP/1.1"))
            assert (status, received) == (401, body)
    assert vendor.token_calls == 1


def test_what_cannot_be_undone_is_judged_without_its_body() -> None:
    assert decode(b"x", reply_of(401, "Content-Encoding: br")) == b""
    assert decode(b"x", reply_of(401, "Content-Encoding: gzip, br")) == b""
    assert decode(b"x", reply_of(401, "Content-Encoding: gzip")) == b""


def test_what_is_decompressed_is_bounded() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    assert len(decode(bomb, reply_of(401, "Content-Encoding: gzip"))) == 16_384


@given(st.binary(max_size=5000))
def test_the_beginning_of_a_compressed_body_is_enough(body: bytes) -> None:
    packed = gzip.compress(body)
    head = reply_of(401, "Content-Encoding: x-gzip")
    assert decode(packed, head) == body
    assert body.startswith(decode(packed[: len(packed) // 2], head))
