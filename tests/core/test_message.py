"""gateway/core/message.py."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import CHUNKED, NO_BODY, Framing, Kind
from gateway.core.headers import Fields
from gateway.core.message import (
    FORWARDED,
    Listener,
    OutboundHead,
    RawHead,
    ReplyHead,
    Request,
    Rules,
    normalize,
    render_fields,
)
from gateway.core.query import Mode, QueryRules
from gateway.core.secret import Secret
from gateway.core.target import Authority, Target
from gateway.errors import HeadTooLarge, Refused, TargetTooLong
from tests.core.vectors import Case, attempt, bytes_of, fields_of, name_of, read_vectors
from tests.replies import reply_like

HOST = (b"Host", b"localhost:8080")
RULES = Rules()


def head(
    method: bytes = b"GET",
    target: bytes = b"/restapi",
    version: bytes = b"HTTP/1.1",
    fields: Fields = (HOST,),
    listener: Listener | None = None,
) -> RawHead:
    return RawHead(method, target, version, fields, listener or Listener())


@pytest.mark.parametrize("case", read_vectors("core_head"), ids=name_of)
def test_a_head_that_is_not_believed_is_refused_with_its_reason(case: Case) -> None:
    host = (HOST,) if case.get("host", True) else ()
    raw = head(
        bytes_of(case.get("method", "GET")),
        bytes_of(case.get("target", "/restapi")),
        bytes_of(case.get("version", "HTTP/1.1")),
        host + fields_of(case.get("headers", [])),
    )
    with pytest.raises(Refused) as caught:
        normalize(raw, RULES)
    assert (caught.value.status, caught.value.code) == (case["status"], case["code"])
    assert case["reason"] in caught.value.message
    assert "hunter2" not in caught.value.message


def test_a_plain_request_is_believed_as_it_came() -> None:
    listener = Listener(8080, loopback=True)
    fields = (HOST, (b"X-Foo", b"\xff"), (b"x-foo", b""))
    request = normalize(head(target=b"/restapi/%7E?a=1", fields=fields, listener=listener), RULES)
    assert request == Request(
        method="GET",
        wire_method="GET",
        target=Target(b"/restapi/%7E", b"a=1"),
        query=b"a=1",
        fields=fields,
        framing=NO_BODY,
        version=b"HTTP/1.1",
        host=Authority(b"localhost", 8080),
        listener=listener,
    )
    assert not request.tunnelled


def test_a_tunnelled_request_has_its_effective_method_and_loses_only_the_pair() -> None:
    fields = (HOST, (b"X-HTTP-Method-Override", b"delete"), (b"Content-Length", b"5"))
    request = normalize(head(b"POST", b"/a?b=1&_method=DELETE", fields=fields), RULES)
    assert (request.method, request.wire_method, request.tunnelled) == ("DELETE", "POST", True)
    assert request.query == b"b=1"
    assert request.target.render() == b"/a?b=1&_method=DELETE"
    assert request.override == ("header", "query")
    # The body, its type and length go along unchanged, on DELETE too.
    assert request.framing == Framing(Kind.LENGTH, 5)
    assert request.fields == fields


@pytest.mark.parametrize("target", [b"/a", b"/a?", b"/a?b", b"http://localhost:8080", b"//a;b?c=~"])
def test_what_is_sent_is_what_was_checked(target: bytes) -> None:
    request = normalize(head(target=target), RULES)
    assert request.target.render() == target
    assert request.query == request.target.query


def test_an_emptied_query_loses_its_mark_and_an_empty_one_keeps_it() -> None:
    assert normalize(head(b"POST", b"/a?_method=PUT"), RULES).query is None
    assert normalize(head(b"POST", b"/a?"), RULES).query == b""
    assert normalize(head(b"POST", b"/a"), RULES).query is None


def test_a_repaired_query_is_the_one_that_is_sent() -> None:
    rules = Rules(query=QueryRules(mode=Mode.REPAIR))
    request = normalize(head(b"POST", b"/a?b=|&_method=PUT&c=|"), rules)
    assert (request.method, request.query) == ("PUT", b"b=%7C&c=%7C")
    assert [found.offset for found in request.findings] == [2, 18]


def test_tunnelling_can_be_switched_off() -> None:
    rules = Rules(tunnel_accept=frozenset())
    with pytest.raises(Refused, match="overrides by query are switched off"):
        normalize(head(b"POST", b"/a?_method=PUT"), rules)


@pytest.mark.parametrize("method", sorted(FORWARDED))
def test_a_forwarded_method_is_believed(method: bytes) -> None:
    assert normalize(head(method), RULES).method == method.decode()


def test_http_1_0_may_go_without_a_host() -> None:
    request = normalize(head(version=b"HTTP/1.0", fields=()), RULES)
    assert request.host is None
    assert request.version == b"HTTP/1.0"


def test_a_chunked_body_is_believed() -> None:
    fields = (HOST, (b"Transfer-Encoding", b"chunked"))
    assert normalize(head(b"POST", fields=fields), RULES).framing == CHUNKED


@pytest.mark.parametrize(
    ("version", "values", "expects"),
    [
        (b"HTTP/1.1", [], False),
        (b"HTTP/1.1", [b"100-continue"], True),
        (b"HTTP/1.1", [b"100-Continue", b"100-continue"], True),
        # RFC 9110 section 10.1.1: ignored in HTTP/1.0.
        (b"HTTP/1.0", [b"100-continue"], False),
    ],
)
def test_a_continue_is_expected_in_http_1_1_only(
    version: bytes, values: list[bytes], expects: bool
) -> None:
    fields = (HOST, *((b"Expect", value) for value in values))
    assert normalize(head(version=version, fields=fields), RULES).expects_continue is expects


def test_a_body_may_be_as_large_as_the_limit() -> None:
    fields = (HOST, (b"Content-Length", b"10"))
    assert normalize(head(fields=fields), Rules(max_body_bytes=10)).framing.length == 10
    with pytest.raises(Refused, match=r"the body has 10 bytes; at most 9 \(limits.max_body_bytes"):
        normalize(head(fields=fields), Rules(max_body_bytes=9))


def test_a_target_may_be_as_long_as_the_limit() -> None:
    assert normalize(head(target=b"/" + b"a" * 9), Rules(max_target_bytes=10)).query is None
    with pytest.raises(TargetTooLong, match="the request-target has 11 bytes; at most 10"):
        normalize(head(target=b"/" + b"a" * 10), Rules(max_target_bytes=10))


def test_the_size_of_a_head_is_the_least_that_it_takes_on_the_wire() -> None:
    fields = (HOST, (b"X-Foo", b"bar"))
    wire = b"GET /restapi HTTP/1.1\r\nHost:localhost:8080\r\nX-Foo:bar\r\n\r\n"
    assert normalize(head(fields=fields), Rules(max_head_bytes=len(wire))).fields == fields
    with pytest.raises(HeadTooLarge, match=f"the head has {len(wire)} bytes; at most"):
        normalize(head(fields=fields), Rules(max_head_bytes=len(wire) - 1))


def test_size_is_judged_before_anything_is_read() -> None:
    with pytest.raises(TargetTooLong):
        normalize(head(b"\x00", b"#" * 20000, b"x", ()), RULES)
    with pytest.raises(HeadTooLarge):
        normalize(head(b"\x00", b"#", b"x", ((b"", b"\x00" * 70000),)), RULES)


def test_heads_print_no_field_and_no_query() -> None:
    fields = (HOST, (b"Authorization", b"hunter2"))
    raw = head(target=b"/a?access_token=hunter2", fields=fields)
    request = normalize(raw, RULES)
    outbound = OutboundHead(b"GET", b"/a", b"access_token=hunter2", fields)
    assert "hunter2" not in repr(raw) + repr(request) + repr(outbound)


def test_a_head_of_another_length_is_the_same_but_for_its_framing() -> None:
    fields = ((b"A", b"1"), (b"Connection", b"a"))
    one = reply_like(b"HTTP/1.1 200 OK\r\nA: 1\r\nConnection: a\r\n\r\n", fields)
    assert one is not None
    other = one.framed(CHUNKED)
    told = [getattr(other, name) for name in ReplyHead.__slots__]
    assert told == [getattr(replace(one, framing=CHUNKED), name) for name in ReplyHead.__slots__]
    assert one.framing is not CHUNKED


def test_an_outbound_head_is_rendered_with_its_secrets_and_extra_fields_last() -> None:
    outbound = OutboundHead(b"PUT", b"/a", b"b=1", (HOST, (b"Cookie", Secret(b"c"))))
    assert outbound.target == b"/a?b=1"
    extra = render_fields(((b"Authorization", Secret(b"Bearer d")), (b"X", b"")))
    assert outbound.render(extra) == (
        b"PUT /a?b=1 HTTP/1.1\r\nHost: localhost:8080\r\nCookie: c\r\n"
        b"Authorization: Bearer d\r\nX: \r\n\r\n"
    )


@pytest.mark.parametrize(("query", "target"), [(None, b"/a"), (b"", b"/a?"), (b"b", b"/a?b")])
def test_an_outbound_target_keeps_a_lone_question_mark(query: bytes | None, target: bytes) -> None:
    outbound = OutboundHead(b"GET", b"/a", query, ())
    assert outbound.render() == b"GET " + target + b" HTTP/1.1\r\n\r\n"


def odd(*likely: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(st.sampled_from(likely), st.binary(max_size=8))


fields = st.lists(
    st.tuples(
        odd(
            *(b"Host", b"Content-Length", b"Transfer-Encoding", b"Expect", b"X-Foo", b"X-Foo "),
            *(b"X-HTTP-Method-Override", b"X-HTTP-Method", b"Connection"),
        ),
        odd(
            *(b"localhost", b"5", b"5, 5", b"chunked", b"100-continue", b"PUT", b"a\x00", b"a b"),
            *(b"[::1]:80", b"[:::]", b"user@host"),
        ),
    ),
    max_size=4,
)
heads = st.builds(
    RawHead,
    odd(b"GET", b"POST", b"PUT", b"TRACE", b"get"),
    odd(b"/a", b"/a?b=|", b"/a?_method=PUT", b"/a/%2e%2e", b"http://a:80/", b"*", b"/\xff"),
    odd(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0"),
    st.one_of(fields, fields.map(lambda rest: [HOST, *rest])).map(tuple),
)


@given(heads)
def test_no_head_raises_anything_but_refused_and_the_reason_is_printable(raw: RawHead) -> None:
    request = attempt(normalize, raw, RULES)
    if isinstance(request, Request):
        assert request.fields == raw.fields
        assert request.target.render() == raw.target
        assert request.method.encode() in FORWARDED
    else:
        assert isinstance(request, Refused)
