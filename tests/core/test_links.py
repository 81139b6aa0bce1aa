from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.link_json import lend_whole, rewrite_whole
from gateway.core.links import LinkMap, Links, rewrite_field
from tests.core.link_world import FROM_HERE, HERE, MEDIA, PLATFORM, RINGCX, TO_HERE, transform

URI = f"{PLATFORM}/restapi/v1.0/account/~?a=1&b=%2B"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (URI, f"{HERE}/restapi/v1.0/account/~?a=1&b=%2B"),
        (f"{PLATFORM}:443/restapi", f"{HERE}/restapi"),
        ("https://Platform.RingCentral.COM/restapi#x", f"{HERE}/restapi#x"),
        (f"{PLATFORM}/restapi?q", f"{HERE}/restapi?q"),
        (PLATFORM, HERE),
        (f"{PLATFORM}/", f"{HERE}/"),
        (f"{PLATFORM}?x", f"{HERE}?x"),
        (f"{MEDIA}/restapi/v1.0/x", f"{HERE}/media/restapi/v1.0/x"),
        (f"{RINGCX}/cx/integration/v1/x", f"{HERE}/cx/integration/v1/x"),
        ("http://127.0.0.1:9080/scim/v2", f"{HERE}/scim/v2"),
    ],
)
def test_a_uri_that_a_route_serves_gets_our_origin(uri: str, expected: str) -> None:
    assert rewrite_field(b"location", uri.encode(), TO_HERE) == expected.encode()
    assert transform(uri) == expected


@pytest.mark.parametrize(
    "uri",
    [
        f"{PLATFORM}/account/~",
        f"{PLATFORM}/restapix",
        f"{PLATFORM}//restapi",
        f"{PLATFORM}.evil.example/restapi",
        f"{PLATFORM}@evil.example/restapi",
        f"{PLATFORM}:444/restapi",
        f"{PLATFORM}:4430/restapi",
        "https://u:p@platform.ringcentral.com/restapi",
        "https://aplatform.ringcentral.com/restapi",
        "https://platformXringcentral.com/restapi",
        "http://platform.ringcentral.com/restapi",
        "wss://platform.ringcentral.com/restapi",
        f"{MEDIA}",
        f"{MEDIA}/",
        f"{RINGCX}/cx/social-messaging/v1",
        "http://127.0.0.1/restapi",
        "https://127.0.0.1:9080/restapi",
        f"{PLATFORM}/restapi is our API",
        f"{PLATFORM}/restapi/\u00e9",
        f"see {PLATFORM}/restapi",
        f"/redirect?to={PLATFORM}/restapi",
        "https://v.ringcentral.com/join/1",
        "sip:1@platform.ringcentral.com",
        "",
    ],
)
def test_any_other_value_stays(uri: str) -> None:
    assert rewrite_field(b"location", uri.encode(), TO_HERE) == uri.encode()
    assert transform(uri) == uri


def test_the_path_below_a_prefix_that_somebody_else_owns_stays() -> None:
    for rest in ("", "/x", "?x"):
        value = f"{RINGCX}/cx/social-messaging{rest}".encode()
        assert rewrite_field(b"location", value, TO_HERE) == value
    value = f"{RINGCX}/cx/social-messagings".encode()
    assert rewrite_field(b"location", value, TO_HERE) == f"{HERE}/cx/social-messagings".encode()


def test_only_the_fields_that_hold_links_are_rewritten() -> None:
    assert rewrite_field(b"content-location", URI.encode(), TO_HERE) != URI.encode()
    assert rewrite_field(b"referer", URI.encode(), TO_HERE) == URI.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f'<{URI}>; rel="next"', f'<{HERE}/restapi/v1.0/account/~?a=1&b=%2B>; rel="next"'),
        (
            f"<{PLATFORM}/scim>; rel=a, <{MEDIA}/restapi/x>;rel=b, <{PLATFORM}>",
            f"<{HERE}/scim>; rel=a, <{HERE}/media/restapi/x>;rel=b, <{HERE}>",
        ),
        (f'</x>; title="<{PLATFORM}/restapi>"', f'</x>; title="<{PLATFORM}/restapi>"'),
        (f'</x>; title="\\"<{PLATFORM}/restapi>"', f'</x>; title="\\"<{PLATFORM}/restapi>"'),
        (f'</x>; title="<{PLATFORM}/restapi>', f'</x>; title="<{PLATFORM}/restapi>'),
        (f"<{PLATFORM}/restapi x>", f"<{PLATFORM}/restapi x>"),
        (f"<{PLATFORM}/restapi", f"<{PLATFORM}/restapi"),
        (f'</x>; anchor="{PLATFORM}/restapi"', f'</x>; anchor="{PLATFORM}/restapi"'),
    ],
)
def test_a_link_field_is_rewritten_in_its_targets_alone(value: str, expected: str) -> None:
    assert rewrite_field(b"link", value.encode(), TO_HERE) == expected.encode()


@pytest.mark.parametrize("uri", [URI, f"{MEDIA}/restapi/x", f"{PLATFORM}/.well-known/a", PLATFORM])
def test_what_was_rewritten_is_restored_by_the_map_the_other_way(uri: str) -> None:
    here = rewrite_field(b"location", uri.encode(), TO_HERE)
    assert here != uri.encode()
    assert rewrite_field(b"location", here, FROM_HERE) == uri.encode()


DOCUMENT = (
    rb'{"a":"https://platform.ringcentral.com/restapi/v1.0","b":["http://127.0.0.1:9080/scim",'
    rb'"https:\/\/media.ringcentral.com\/restapi\/a"],"https://platform.ringcentral.com/restapi":1}'
)


@pytest.mark.parametrize("text", [b"http://localhost:8080", rb"http://a\g<1>\1\n"])
@pytest.mark.parametrize("blanks", [0, 5000])
def test_one_text_for_every_source_is_written_as_it_is(text: bytes, blanks: int) -> None:
    found = TO_HERE.found
    document = DOCUMENT + b" " * blanks
    one, several = (Links(found, (text, text, last, text)) for last in (text, b"http://unused"))
    written = one.rewrite_json(document)
    assert written == several.rewrite_json(document) == found.in_json.sub(lambda _: text, document)
    assert written.count(text) == 3


def test_a_document_without_a_slash_is_not_looked_through() -> None:
    document = b'["https:", "http", 1]'
    assert TO_HERE.rewrite_json(document) is document


def test_a_map_of_nothing_finds_nothing() -> None:
    nothing = Links(LinkMap(()), ())
    assert rewrite_field(b"location", URI.encode(), nothing) == URI.encode()
    assert rewrite_field(b"link", f"<{URI}>".encode(), nothing) == f"<{URI}>".encode()


ORIGINS = st.sampled_from(
    [PLATFORM, MEDIA, RINGCX, f"{PLATFORM}:443", "https://PLATFORM.ringcentral.com", HERE, "https:"]
)
TAILS = st.lists(
    st.sampled_from(
        [*"/?#@: <>\"'\\%&", "/restapi", "/cx", "/social-messaging", "x", "%2F", "\u00e9", ".evil"]
    ),
    max_size=5,
).map("".join)
URIS = st.builds(str.__add__, ORIGINS, TAILS)


@given(URIS)
def test_a_location_is_rewritten_exactly_as_a_second_reading_says(uri: str) -> None:
    written = rewrite_field(b"location", uri.encode(), TO_HERE)
    assert written == transform(uri).encode()


@given(st.binary(max_size=60), st.sampled_from([b"location", b"link", b"x"]))
def test_no_field_raises(value: bytes, name: bytes) -> None:
    assert rewrite_field(name, value, TO_HERE) == value


@pytest.mark.parametrize("length", [10, 10_000])
def test_something_faster_does_a_long_document_unless_it_cannot(length: int) -> None:
    uri, ours = f"{PLATFORM}/restapi/v1.0".encode(), f"{HERE}/restapi/v1.0".encode()
    document = b'["' + uri + b'"' + b" " * length + b"]"
    asked: list[bytes] = []

    def give_up(data: bytes) -> None:
        asked.append(data)

    rewritten = replace(TO_HERE, substitute=give_up).rewrite_json(document)
    assert rewritten == document.replace(uri, ours)
    assert asked == ([document] if length > 3072 else [])
    faster = replace(TO_HERE, substitute=lambda data: b"done").rewrite_json(document)
    assert (faster == b"done") is (length > 3072)


@pytest.mark.parametrize("text", [b"[]//", b'["/x"]', b'["a","https:"]'])
def test_a_long_document_without_a_link_is_left_alone(text: bytes) -> None:
    document = text + b" " * 10_000
    assert TO_HERE.rewrite_json(document) == document
    assert replace(TO_HERE, substitute=lambda data: None).rewrite_json(document) == document


@pytest.mark.parametrize("length", [10, 10_000])
def test_what_is_lent_is_copied_for_who_keeps_it(length: int) -> None:
    buffer = bytearray(b"done")
    document = b'["' + URI.encode() + b'"' + b" " * length + b"]"
    links = replace(TO_HERE, substitute=lambda data: memoryview(buffer))
    kept = links.rewrite_json(document), rewrite_whole(links, document)
    lent = lend_whole(links, document)
    buffer[:] = b"next"
    assert (kept == (b"done", b"done"), lent == b"next") == (length > 3072, length > 3072)
