"""gateway/core/section.py: what was remembered is what would be read, and no secret is."""

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gateway.core.framing import CHUNKED, NO_BODY, Framing, Kind
from gateway.core.headers import Fields
from gateway.core.memo import Memo
from gateway.core.message import Listener, RawHead, Request, Rules, normalize
from gateway.core.section import Section, Sections, choose_mattering, measure
from gateway.errors import Refused

HOST = (b"Host", b"localhost:8080")
PLAIN: Fields = (HOST, (b"Accept", b"*/*"), (b"Connection", b"x-a"))
ROOM = 65536


def read(sections: Sections, fields: Fields, version: bytes = b"HTTP/1.1") -> Section:
    return sections.read(fields, choose_mattering(fields), version, NO_BODY)


def test_the_same_fields_are_the_same_section() -> None:
    sections = Sections()
    assert sections.recall(PLAIN, ROOM) is None
    section = read(sections, PLAIN)
    assert section.is_kept
    assert sections.recall(tuple(PLAIN), ROOM) == (NO_BODY, section)
    assert section.ending >= {b"x-a", b"connection"}


def test_the_length_and_the_credential_may_vary() -> None:
    sections = Sections()
    section = read(sections, (*PLAIN, (b"Authorization", b"Bearer a"), (b"Content-Length", b"1")))
    varied = ((b"cookie", b"b"), *PLAIN, (b"content-length", b"22"))
    assert sections.recall(varied, ROOM) == (Framing(Kind.LENGTH, 22), section)
    assert sections.recall(PLAIN, ROOM) == (NO_BODY, section)


@pytest.mark.parametrize(
    "varied",
    [
        ((b"Content-Length", b"1"), (b"content-length", b"1")),
        ((b"Content-Length", b"+1"),),
        ((b"Content-Length", b""),),
        ((b"Authorization", b"a\r\nb"),),
        ((b"Cookie", b" a"),),
        ((b"Cookie", b"a" * ROOM),),
    ],
)
def test_fields_that_may_be_refused_are_not_recalled(varied: Fields) -> None:
    sections = Sections()
    read(sections, PLAIN)
    assert sections.recall(PLAIN + varied, ROOM) is None


def test_a_chunked_body_has_no_length() -> None:
    sections = Sections()
    fields = (*PLAIN, (b"Transfer-Encoding", b"chunked"))
    section = sections.read(fields, choose_mattering(fields), b"HTTP/1.1", CHUNKED)
    assert sections.recall(fields, ROOM) == (CHUNKED, section)
    assert sections.recall((*fields, (b"Content-Length", b"1")), ROOM) is None


@pytest.mark.parametrize(
    "field",
    [
        (b"X-Auth_Token", b"1"),
        (b"X-Api-Key", b"1"),
        (b"X-Session", b"1"),
        (b"Referer", b"https://a/?ACCESS_TOKEN=1"),
        (b"X-Plain", b"my password"),
    ],
)
def test_what_may_be_a_secret_is_not_kept(field: tuple[bytes, bytes]) -> None:
    memo: Memo[Fields, Section] = Memo()
    assert not read(Sections(memo), (*PLAIN, field)).is_kept
    assert len(memo) == 0


@pytest.mark.parametrize("name", [b"Authorization", b"COOKIE", b"x-auth-token"])
def test_no_credential_is_part_of_what_is_kept(name: bytes) -> None:
    memo: Memo[Fields, Section] = Memo()
    read(Sections(memo), (*PLAIN, (name, b"hunter2")))
    assert memo.get(PLAIN) is not None
    assert len(memo) == 1


def test_only_http_1_1_is_kept() -> None:
    assert not read(Sections(), PLAIN, b"HTTP/1.0").is_kept


def test_the_size_is_what_the_fields_cost_on_the_wire() -> None:
    assert measure(PLAIN) == sum(len(name) + len(value) + 3 for name, value in PLAIN)
    assert measure(()) == 0


names = st.sampled_from(
    [
        *(b"Host", b"host", b"Accept", b"Content-Length", b"content-length", b"Connection"),
        *(b"Authorization", b"Transfer-Encoding", b"Expect", b"X-HTTP-Method-Override"),
        *(b"X-HTTP-Method", b"Origin", b"Sec-Fetch-Site", b"Cookie", b"X-Api-Key", b"bad name"),
    ]
)
values = st.sampled_from(
    [
        *(b"localhost", b"a:b", b"*/*", b"1", b"2", b"x", b"close, x-a", b"chunked", b"PUT"),
        *(b"100-continue", b"", b" a", b"a\n", b"cross-site", b"http://localhost"),
    ]
)
heads = st.builds(
    RawHead,
    st.sampled_from([b"GET", b"POST", b"FOO"]),
    st.sampled_from([b"/a", b"/a?_method=PUT", b"/" + b"a" * 90]),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"]),
    st.lists(st.tuples(names, values), max_size=4).map(
        lambda fields: ((b"Host", b"localhost"), *fields)
    ),
    st.just(Listener(8080, loopback=True)),
)


def make_rules() -> Rules:
    return Rules(max_head_bytes=160, max_target_bytes=80, max_body_bytes=1)


def settle(raw: RawHead, rules: Rules) -> Request | str:
    try:
        return normalize(raw, rules)
    except Refused as error:
        return repr((type(error), error.message))


@given(st.lists(heads, min_size=2, max_size=6))
def test_what_is_recalled_is_what_would_be_read(series: list[RawHead]) -> None:
    remembering = make_rules()
    for raw in [*series, *series]:
        met, fresh = settle(raw, remembering), settle(raw, make_rules())
        assert met == fresh
        if isinstance(met, Request) and isinstance(fresh, Request):
            event("believed")
            one, other = met.section, fresh.section
            assert (one.spoken, one.ending, one.page) == (other.spoken, other.ending, other.page)
            assert (one.is_kept, one.is_chunked, one.size) == (
                *(other.is_kept, other.is_chunked),
                other.size,
            )
