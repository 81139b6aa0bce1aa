"""gateway/engine/known_fields.py: with known fields or without, the outcome is the same."""

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.policy.routes import Scheme
from tests.engine.knowing import (
    JSON,
    MIXED,
    PATH,
    fields,
    head_of,
    heads_of,
    methods,
    outcome,
    targets,
)


@given(methods, methods, fields, targets, st.none() | st.sampled_from(Scheme), st.booleans())
@example(b"POST", b"POST", [b"Authorization: s3cr3t"], PATH + b"/x", Scheme.PASSTHROUGH, False)
@example(b"GET", b"POST", [b"Content-Length: 3"], PATH + b"/x", None, False)
@example(b"POST", b"POST", JSON, PATH + b"/x", None, True)
@example(b"POST", b"POST", [], PATH + b"?_method=DELETE", None, False)
def test_a_head_with_fields_that_are_known_leaves_as_one_of_which_nothing_is(
    before: bytes,
    method: bytes,
    listed: list[bytes],
    target: bytes,
    scheme: Scheme | None,
    relinks: bool,
) -> None:
    heads = heads_of(scheme, relinks=relinks)
    for number in range(4):
        heads.find(head_of(before, PATH + b"/%d" % number, *listed))
    head = head_of(method, target, *listed)
    expected = outcome(heads_of(scheme, relinks=relinks).find(head))
    assert [outcome(heads.find(head)) for _ in range(3)] == [expected] * 3


@given(methods, fields, targets)
@example(b"GET", [], b"/voice/api/v1/admin/accounts/1")
def test_fields_known_from_one_upstream_are_good_for_another(
    method: bytes, listed: list[bytes], target: bytes
) -> None:
    heads = heads_of(upstreams=MIXED)
    for number in range(4):
        heads.find(head_of(method, PATH + b"/%d" % number, *listed))
    head = head_of(method, target, *listed)
    assert outcome(heads.find(head)) == outcome(heads_of(upstreams=MIXED).find(head))


varying = st.lists(
    st.sampled_from(
        [
            *(b"Content-Length: 0", b"Content-Length: 3", b"content-length: 70000", b"Cookie: a=b"),
            *(b"Authorization: Bearer s3cr3t", b"authorization: Basic x", b"X-Auth-Token: s3cr3t"),
            *(b"Proxy-Authorization: x", b"COOKIE: c", b"CONTENT-LENGTH: 7", b"Authorization:"),
            *(b"Content-Length: x", b"Content-Length: 99999999999999999999", b"Cookie: a  b"),
            *(b"Cookie:  two blanks", b"Content-Length:5", b"Cookie : a", b"Authorization: \xff"),
            *(b"Content-Length: 115343361", b"X-Auth-Token: a\r\n b", b"Content-Length: 3, 3"),
        ]
    ),
    max_size=3,
)


@given(
    st.sampled_from([b"GET", b"POST", b"DELETE"]),
    *(fields, varying, varying, st.permutations(range(8))),
    *(targets, st.none() | st.sampled_from(Scheme), st.booleans()),
)
@example(b"POST", JSON[:1], [], JSON[1:], [*range(8)], PATH, None, True)
@example(b"POST", [], [b"Cookie: a"], [b"Content-Length: 0"], [*range(8)], PATH, None, False)
@example(b"POST", [], [], [b"CONTENT-LENGTH: 7"], [*range(8)], PATH, None, False)
@example(b"POST", [], JSON[1:], JSON[1:] * 2, [*range(8)], PATH, None, False)
def test_a_head_is_known_whatever_credential_and_length_the_others_had(
    method: bytes,
    steady: list[bytes],
    before: list[bytes],
    now: list[bytes],
    order: list[int],
    target: bytes,
    scheme: Scheme | None,
    relinks: bool,
) -> None:
    heads = heads_of(scheme, relinks=relinks)
    for number in range(4):
        heads.find(head_of(method, PATH + b"/%d" % number, *steady, *before))
    listed = [*steady, *now]
    head = head_of(method, target, *(listed[place] for place in order if place < len(listed)))
    expected = outcome(heads_of(scheme, relinks=relinks).find(head))
    assert [outcome(heads.find(head)) for _ in range(3)] == [expected] * 3
