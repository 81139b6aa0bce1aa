import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.link_json import MOST_BYTES, JsonRewriter, rewrite_whole
from gateway.core.links import Links
from tests.core.link_world import FROM_HERE, HERE, MEDIA, PLATFORM, RINGCX, TO_HERE, cuts, transform

URI = f"{PLATFORM}/restapi/v1.0/account/~"
OURS = f"{HERE}/restapi/v1.0/account/~"


def rewrite(*pieces: bytes, links: Links = TO_HERE) -> bytes:
    rewriter = JsonRewriter(links)
    return b"".join([*map(rewriter.feed, pieces), rewriter.finish()])


def expect(document: Any) -> Any:
    match document:
        case str():
            return transform(document)
        case list():
            return [expect(item) for item in document]
        case dict():
            return {name: expect(value) for name, value in document.items()}
        case _:
            return document


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f'{{"uri":"{URI}"}}', f'{{"uri":"{OURS}"}}'),
        (f'{{"uri" : "{URI}" , "id":1.0e2}}', f'{{"uri" : "{OURS}" , "id":1.0e2}}'),
        (f'["{URI}","{URI}"]', f'["{OURS}","{OURS}"]'),
        (f'"{URI}"', f'"{OURS}"'),
        (f' "{URI}"\n', f' "{OURS}"\n'),
        (
            r'{"u":"https:\/\/platform.ringcentral.com:443\/restapi\/v1.0?a=1\u0026b=2"}',
            rf'{{"u":"{HERE}\/restapi\/v1.0?a=1\u0026b=2"}}',
        ),
        (
            r'{"u":"https://platform.ringcentral.com/restapi\u003fa"}',
            rf'{{"u":"{HERE}/restapi\u003fa"}}',
        ),
        (r'{"u":"https://platform.ringcentral.com\u003fa"}', rf'{{"u":"{HERE}\u003fa"}}'),
        (f'{{"issuer":"{PLATFORM}"}}', f'{{"issuer":"{HERE}"}}'),
        (f'{{"c":"{MEDIA}/restapi/1"}}', f'{{"c":"{HERE}/media/restapi/1"}}'),
    ],
)
def test_a_value_that_is_a_uri_of_ours_is_rewritten_wherever_the_bytes_are_cut(
    before: str, after: str
) -> None:
    for pieces in cuts(before.encode()):
        assert rewrite(*pieces) == after.encode(), pieces
    assert JsonRewriter(TO_HERE).whole(before.encode()) == after.encode()


@pytest.mark.parametrize(
    "text",
    [
        f'{{"{URI}":1}}',
        f'{{"{URI}" \r\n\t : "x"}}',
        f'{{"a":1,"{URI}":{{"{URI}":[]}}}}',
        f'{{"subject":"{URI} is the page"}}',
        f'{{"subject":"see {URI}"}}',
        rf'{{"subject":"{URI}\n"}}',
        rf'{{"subject":"{URI}\u0020x"}}',
        rf'{{"subject":"{URI}\u00e9"}}',
        rf'{{"subject":"see \"{URI}\" there"}}',
        rf'{{"subject":"a: \"{URI}\", b"}}',
        rf'{{"subject":"\\\"{URI}\\\""}}',
        rf'{{"subject":"\"{URI}\""}}',
        '{"address":"https://hooks.example.com/restapi?x=https://platform.ringcentral.com/restapi"}',
        f'{{"subject":"<{URI}>"}}',
        f'{{"to":"{RINGCX}/cx/social-messaging/v1"}}',
        r'{"u":"\u0068ttps://platform.ringcentral.com/restapi"}',
        r'{"u":"https://platform.ringcentral.com\u002frestapi"}',
    ],
)
def test_a_name_and_a_text_stay_wherever_the_bytes_are_cut(text: str) -> None:
    json.loads(text)
    for pieces in cuts(text.encode()):
        assert rewrite(*pieces) == text.encode(), pieces


STRINGS = st.lists(
    st.sampled_from(
        [
            *(
                URI,
                PLATFORM,
                MEDIA,
                RINGCX,
                f"{MEDIA}/restapi/2",
                "https://PLATFORM.ringcentral.com",
            ),
            *('"', "\\", "/", " ", ":", ",", "{", "[", "\n", "\u00e9", "\U0001f600", "&", "http"),
            *("/cx", "/restapi", "/social-messaging", "?", "#", "x", ".evil", ":443", "h", "<"),
        ]
    ),
    max_size=4,
).map("".join)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spelled(draw: st.DrawFn) -> tuple[Any, bytes]:
    document = draw(DOCUMENTS)
    text = json.dumps(
        document,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, 2])),
        separators=draw(st.sampled_from([(",", ":"), (", ", " : "), (" ,\t", ":\r\n")])),
    )
    # Within a document these bytes stand in strings only.
    for plain, escaped in (("/", r"\/"), ("&", r"\u0026"), ("?", r"\u003F"), ("#", r"\u0023")):
        if draw(st.booleans()):
            text = text.replace(plain, escaped)
    return document, text.encode()


@given(spelled(), st.lists(st.integers(0, 400), max_size=6))
def test_the_document_is_what_a_parser_would_make_of_it(
    given_document: tuple[Any, bytes], places: list[int]
) -> None:
    document, data = given_document
    written = rewrite(data)
    assert json.loads(written) == expect(document)
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert rewrite(*pieces) == written
    if expect(document) == document:
        assert written == data


@given(spelled())
def test_a_whole_document_is_what_its_pieces_become(given_document: tuple[Any, bytes]) -> None:
    document = given_document[1]
    assert JsonRewriter(TO_HERE).whole(document) == rewrite(document)
    assert rewrite_whole(TO_HERE, document) == rewrite(document)


@pytest.mark.parametrize("data", [b"1" * 5000, b'"ftp://a"' * 700, b'["a"]' * 1000])
def test_a_long_document_without_a_link_is_not_copied(data: bytes) -> None:
    assert TO_HERE.rewrite_json(data) is data


@given(spelled())
def test_every_cut_gives_the_same_bytes(given_document: tuple[Any, bytes]) -> None:
    _, data = given_document
    data = data[:300]
    written = rewrite(data)
    assert all(rewrite(*pieces) == written for pieces in cuts(data))


@given(st.lists(st.sampled_from([b'"', b"\\", b"http", b'"https://', b"\xff", b":", URI.encode()])))
def test_what_is_no_json_passes_whole(pieces: list[bytes]) -> None:
    here = OURS.encode()
    assert rewrite(*pieces).replace(here, URI.encode()) == b"".join(pieces)
    assert rewrite(b"".join(pieces)).replace(here, URI.encode()) == b"".join(pieces)


def test_text_is_given_on_at_once_and_a_uri_when_it_has_ended() -> None:
    rewriter = JsonRewriter(TO_HERE)
    assert rewriter.feed(b'{"id":"abc') == b'{"id":"abc'
    assert rewriter.feed(b'","uri":"') == b'","uri":'
    assert rewriter.feed(URI.encode()) == b""
    assert rewriter.feed(b'" ') == b""
    assert rewriter.feed(b"}") == f'"{OURS}" }}'.encode()
    assert rewriter.finish() == b""


def test_of_a_string_without_an_end_no_more_is_held_than_may_be() -> None:
    rewriter = JsonRewriter(TO_HERE)
    sent = b'{"uri":"' + URI.encode()
    back = rewriter.feed(sent)
    for _ in range(64):
        sent += b"x" * 1024
        back += rewriter.feed(b"x" * 1024)
        assert len(sent) - len(back) <= MOST_BYTES
    assert back + rewriter.finish() == sent


def test_blanks_without_an_end_are_not_held_either() -> None:
    rewriter = JsonRewriter(TO_HERE)
    sent = b'["' + URI.encode() + b'"' + b" " * MOST_BYTES
    assert rewriter.feed(sent) == sent


def test_a_gateway_uri_is_restored() -> None:
    sent = f'{{"contentUri":"{HERE}/media/restapi/1","uri":"{OURS}","x":"{HERE}/media/x"}}'
    restored = rewrite(sent.encode(), links=FROM_HERE)
    assert json.loads(restored) == {
        "contentUri": f"{MEDIA}/restapi/1",
        "uri": URI,
        "x": f"{HERE}/media/x",
    }
