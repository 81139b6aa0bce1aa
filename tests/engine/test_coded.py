import gzip
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.link_json import JsonRewriter
from gateway.engine.coded import Gunzip, GzipStage, PlainStage, fold, unfold
from gateway.errors import UpstreamBroken
from tests.core.link_world import HERE, PLATFORM, TO_HERE

BODY = f'{{"uri":"{PLATFORM}/restapi/1","text":"{"x" * 500}"}}'.encode()
OURS = BODY.replace(PLATFORM.encode(), HERE.encode())


def run(stage: GzipStage | PlainStage, pieces: Iterable[bytes]) -> bytes:
    out = [b"".join(stage.feed(piece)) for piece in pieces]
    return b"".join([*out, *stage.finish()])


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(st.integers(1, 200))
def test_gzip_is_rewritten_and_is_gzip_again_however_it_is_cut(size: int) -> None:
    stage = GzipStage(JsonRewriter(TO_HERE))
    assert gzip.decompress(run(stage, pieces_of(gzip.compress(BODY), size))) == OURS


def test_members_that_follow_one_another_are_one_body() -> None:
    two = gzip.compress(BODY[:30]) + gzip.compress(BODY[30:])
    assert gzip.decompress(run(GzipStage(JsonRewriter(TO_HERE)), [two])) == OURS
    assert unfold(two, 10_000) == BODY


def test_what_is_settled_can_be_decoded_before_the_end() -> None:
    stage = GzipStage(JsonRewriter(TO_HERE))
    encoder = zlib.compressobj(wbits=31)
    first = encoder.compress(b'{"id":1,') + encoder.flush(zlib.Z_SYNC_FLUSH)
    assert zlib.decompressobj(31).decompress(b"".join(stage.feed(first))) == b'{"id":1,'


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(BODY, mtime=0) + b"more"])
def test_a_body_that_is_no_gzip_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamBroken, match="not the gzip"):
        run(GzipStage(JsonRewriter(TO_HERE)), [data])
    with pytest.raises(UpstreamBroken, match="not the gzip"):
        unfold(data, 10_000)


def test_a_body_that_ends_early_is_an_error_and_an_empty_one_is_not() -> None:
    cut = gzip.compress(BODY)[:-5]
    with pytest.raises(UpstreamBroken, match="before its end"):
        run(GzipStage(JsonRewriter(TO_HERE)), [cut])
    with pytest.raises(UpstreamBroken, match="before its end"):
        unfold(cut, 10_000)
    assert unfold(b"", 10) == b""


def test_much_that_is_folded_small_comes_in_bounded_pieces() -> None:
    data = gzip.compress(b"x" * 2_000_000)
    pieces = list(Gunzip().unfold(data))
    assert max(map(len, pieces)) <= 262144
    assert sum(map(len, pieces)) == 2_000_000
    assert unfold(data, 1_000_000) is None


def test_a_body_folded_whole_is_gzip() -> None:
    assert gzip.decompress(fold(BODY)) == BODY


def test_a_plain_body_only_passes_its_rewriter() -> None:
    assert run(PlainStage(JsonRewriter(TO_HERE)), pieces_of(BODY, 7)) == OURS
