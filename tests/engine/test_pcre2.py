"""gateway/engine/pcre2.py: it is there, it says what core.links says, or it says nothing."""

import copy
import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.links import LinkMap, Links, Source
from gateway.engine import pcre2
from gateway.engine.pcre2 import Substitution, accelerate
from tests.core.link_world import FROM_HERE, HERE, MEDIA, PLATFORM, RINGCX, TO_HERE
from tests.wire import OK, answering, running, scripted

URI = f"{PLATFORM}/restapi/v1.0/account/~".encode()
OURS = f"{HERE}/restapi/v1.0/account/~".encode()


def substitution_of(links: Links) -> Substitution:
    made = accelerate(links.found.machine_pattern, links.written)
    # Every Debian has the library: its grep needs it.
    assert made is not None
    return made


@pytest.fixture
def no_library() -> Iterator[None]:
    pcre2._load.cache_clear()
    yield
    pcre2._load.cache_clear()


parts = st.sampled_from(
    [
        *(b'"', b'\\"', b"\\", b":", b",", b" ", b"\n", b"\0", b"\xc3\xa9", b"[", b"}", b"x"),
        *(b"/restapi", b"\\/restapi", b"/restapifoo", b"/cx/a", b"/cx/social-messaging", b"?a=b"),
        *(b"\\u0026", b"\\u0022", b"#", b">", b":443", b"$1", b"${1}", b"http", b"https"),
        *(PLATFORM.encode(), PLATFORM.upper().encode(), MEDIA.encode(), RINGCX.encode()),
        *(b"https:\\/\\/media.ringcentral.com", b"HTTPS://platform.ringcentral.com"),
        *(HERE.encode(), f"{HERE}/media".encode(), b"http://127.0.0.1:9080", b'"https://'),
    ]
)
documents = st.lists(parts, max_size=25).map(b"".join)


ONE_TEXT = replace(TO_HERE, written=(HERE.encode(),) * 4)


@pytest.mark.parametrize(
    "links", [TO_HERE, FROM_HERE, ONE_TEXT], ids=["outward", "inward", "one text"]
)
@given(document=documents)
def test_any_bytes_become_what_core_links_makes_of_them(links: Links, document: bytes) -> None:
    made = substitution_of(links)
    assert made(document) == links.rewrite_json(document)


@given(document=documents)
def test_where_no_backslash_is_a_simpler_pattern_finds_the_same(document: bytes) -> None:
    bare = document.replace(b"\\", b"")
    for links in (TO_HERE, FROM_HERE, ONE_TEXT):
        found = links.found
        wanted = found.in_json.sub(links.replace, bare)
        assert found.unescaped.sub(links.replace, bare) == wanted == links.rewrite_json(bare)


def test_a_document_stays_what_it_became_when_the_next_one_is_rewritten() -> None:
    links = replace(ONE_TEXT, substitute=substitution_of(ONE_TEXT))
    document, longer = (b'["' + URI + b'",' + b" " * blanks + b"1]" for blanks in (4000, 300_000))
    kept = links.rewrite_json(document)
    lent = links.lend_json(document)
    assert isinstance(lent, memoryview)
    assert b"".join([lent]) == kept == document.replace(URI, OURS)
    assert links.rewrite_json(longer) == longer.replace(URI, OURS)
    assert links.rewrite_json(document.upper()) == document.upper()
    assert kept == document.replace(URI, OURS)


def test_a_document_that_is_longer_than_the_buffer_is_whole() -> None:
    long, longer = (b"http://" + b"long." * times + b"example" for times in (200, 201))
    shortest = LinkMap([Source("http", "a", 80, (b"/b",))])
    for links, uri in (
        (replace(TO_HERE, written=(long, longer, long, long)), URI),
        (replace(TO_HERE, written=(long,) * 4), URI),
        (Links(shortest, (long,)), b"http://a/b"),
    ):
        made = substitution_of(links)
        for count in (2_000, 1, 4_000):
            document = b"[" + b",".join([b'"' + uri + b'"'] * count) + b"]"
            assert made(document) == links.rewrite_json(document)


@pytest.mark.parametrize("length", [20_000, 260_000])
@pytest.mark.parametrize("part", [b"a", b"a/", b"\\/", b"a\\u0026"])
def test_a_uri_of_any_length_is_done_here(length: int, part: bytes) -> None:
    tail = part * (length // len(part))
    made = substitution_of(ONE_TEXT)
    assert made(b'["' + URI + tail + b'"]') == b'["' + OURS + tail + b'"]'
    assert made(b'["' + URI + tail + b'":1]') == b'["' + URI + tail + b'":1]'


def test_an_older_library_writes_marks_for_a_single_text(monkeypatch: pytest.MonkeyPatch) -> None:
    library = pcre2._load()
    assert library is not None
    assert library.takes_literal
    monkeypatch.setattr(library, "takes_literal", False)
    made = substitution_of(ONE_TEXT)
    monkeypatch.undo()
    document = b'["' + URI + b'","\2"]' * 50
    assert made(document) == ONE_TEXT.rewrite_json(document) == document.replace(URI, OURS)
    assert made(document + b"\1") is None
    assert substitution_of(ONE_TEXT)(document + b"\1") == document.replace(URI, OURS) + b"\1"


@pytest.mark.parametrize(
    ("version", "number"),
    [("10.42", (10, 42)), ("10.34-RC1", (10,)), ("", ()), ("11.0", (11, 0))],
)
def test_what_the_library_calls_itself_is_a_number(version: str, number: tuple[int, ...]) -> None:
    assert pcre2._number(version) == number


def test_a_document_that_has_a_mark_is_left_to_core_links() -> None:
    links = replace(TO_HERE, substitute=substitution_of(TO_HERE))
    document = b'["' + URI + b'", "\1' + b"x" * 4000 + b'"]'
    assert substitution_of(TO_HERE)(document) is None
    assert links.rewrite_json(document) == document.replace(URI, OURS)


def test_any_number_of_groups_is_told_apart() -> None:
    hosts = [f"h{number}.example" for number in range(30)]
    written = tuple(b"http://here/%d" % (number % 8) for number in range(30))
    found = LinkMap(Source("https", host, 443, (b"/a",)) for host in hosts)
    document = "".join(f'["https://{host}/a"],' for host in hosts).encode()
    made = accelerate(found.machine_pattern, written)
    assert made is not None
    assert made(document) == Links(found, written).rewrite_json(document)


def test_it_is_not_copied() -> None:
    with pytest.raises(TypeError, match="not copied"):
        copy.copy(substitution_of(TO_HERE))


def test_more_texts_than_marks_have_nothing_faster() -> None:
    written = tuple(b"http://%d.example" % number for number in range(9))
    assert accelerate(TO_HERE.found.machine_pattern, written) is None


def test_a_document_without_a_link_is_the_same_object() -> None:
    document = b'{"a":"b"}' * 100
    assert substitution_of(TO_HERE)(document) is document


def test_what_is_written_stands_as_it_is() -> None:
    odd = rb"http://a-b.c_d:1/$1${2:+x:y}\Q\E\n{}"
    links = replace(TO_HERE, written=(odd, odd + b"/m", odd, odd))
    made = substitution_of(links)
    assert made(b'["' + URI + b'"]') == b'["' + odd + b'/restapi/v1.0/account/~"]'
    media = f'["{MEDIA}/restapi/1"]'.encode()
    assert made(media) == b'["' + odd + b'/m/restapi/1"]'
    alone = substitution_of(replace(TO_HERE, written=(odd,) * 4))
    assert alone(media) == b'["' + odd + b'/restapi/1"]'


def test_without_the_library_there_is_nothing_faster(
    monkeypatch: pytest.MonkeyPatch, no_library: None
) -> None:
    monkeypatch.setattr(pcre2, "_NAMES", ("libno-such-thing.so.0", "libc.so.6"))
    assert accelerate(TO_HERE.found.machine_pattern, TO_HERE.written) is None
    assert pcre2.describe() is None


def test_without_leave_to_make_machine_code_there_is_nothing_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = pcre2._load()
    assert library is not None
    monkeypatch.setattr(library, "jit", lambda code, options: -48)
    assert accelerate(TO_HERE.found.machine_pattern, TO_HERE.written) is None


def test_a_pattern_that_is_none_has_nothing_faster() -> None:
    assert accelerate(b"(", (b"a",)) is None
    assert accelerate(b"a", ()) is None


def test_what_the_library_fails_at_is_left_to_core_links(monkeypatch: pytest.MonkeyPatch) -> None:
    library = pcre2._load()
    assert library is not None
    links = replace(TO_HERE, substitute=substitution_of(TO_HERE))
    monkeypatch.setattr(library, "substitute", lambda *arguments: -47)
    document = b'["' + URI + b'"' + b" " * 4000 + b"]"
    assert links.rewrite_json(document) == document.replace(URI, OURS)


def test_what_was_compiled_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    library = pcre2._load()
    assert library is not None
    freed: list[int] = []
    monkeypatch.setattr(library, "free_code", freed.append)
    made = substitution_of(TO_HERE)
    del made
    gc.collect()
    monkeypatch.undo()
    (code,) = freed
    library.free_code(code)


async def test_a_gateway_has_it() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        links = gateway.gateway.gate.outfit.policy.forward.links
        assert links is not None
        assert links._accelerate is accelerate
