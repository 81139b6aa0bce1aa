"""gateway/policy/relink.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import CHUNKED, NO_BODY, Framing, Kind
from gateway.core.link_json import JsonRewriter
from gateway.core.link_multipart import MultipartRewriter
from gateway.policy.relink import (
    coding_of,
    is_plain_json,
    relink_head,
    restorer_for,
    retell,
    rewriter_for,
    speaks_of_a_body,
)
from tests.core.link_world import FROM_HERE, HERE, PLATFORM, TO_HERE
from tests.policy.world import fields_of, plan_of, reply_of, request_of

JSON = "Content-Type: application/json;charset=utf-8"
MIXED = "Content-Type: multipart/mixed; boundary=b1"


@pytest.mark.parametrize("lines", ["", "Content-Encoding: gzip", "Content-Encoding: X-GZIP"])
def test_json_and_mixed_parts_are_read_in_codings_that_we_speak(lines: str) -> None:
    assert isinstance(rewriter_for(reply_of(200, f"{JSON}\n{lines}"), TO_HERE), JsonRewriter)
    mixed = rewriter_for(reply_of(207, f"{MIXED}\n{lines}"), TO_HERE)
    assert isinstance(mixed, MultipartRewriter)


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (206, JSON),
        (205, JSON),
        (200, f"{JSON}\nContent-Encoding: br"),
        (200, f"{JSON}\nContent-Encoding: gzip, gzip"),
        (200, f"{JSON}\nCache-Control: private, No-Transform"),
        (200, f"Cache-Control: no-transform\n{JSON}"),
        (200, f"{JSON}\n{JSON}"),
        (200, "Content-Type: audio/mpeg"),
        (200, "Content-Type: text/html"),
        (200, ""),
    ],
)
def test_any_other_body_is_left_alone(status: int, lines: str) -> None:
    assert rewriter_for(reply_of(status, lines), TO_HERE) is None
    assert not is_plain_json(reply_of(status, lines))


LINES = st.lists(
    st.sampled_from(
        [
            *(JSON, "content-type: text/json", MIXED, "Content-Type: text/html", "ETag: a"),
            *("Content-Encoding: gzip", "Content-Encoding: identity", "Content-Encoding: br"),
            *("Cache-Control: no-store", "Cache-Control: a, No-Transform", "Cache-Control: a"),
            *(f"Location: {PLATFORM}/restapi/x", "Link: <a>", "Content-Location: /"),
        ]
    ),
    max_size=4,
).map("\n".join)


@given(LINES, st.sampled_from([200, 201, 205, 206, 404]))
def test_what_is_taken_for_plain_json_needs_nothing_else(lines: str, status: int) -> None:
    head = reply_of(status, lines)
    if is_plain_json(head):
        assert isinstance(rewriter_for(head, TO_HERE), JsonRewriter)
        assert coding_of(head) == ""
        assert relink_head(head, TO_HERE) is head


@pytest.mark.parametrize(
    "lines",
    ["", "Cache-Control: no-store", "Vary: Origin", 'ETag: "a"\nAccept-Ranges: bytes'],
)
def test_json_with_nothing_special_in_its_head_is_plain(lines: str) -> None:
    assert is_plain_json(reply_of(200, f"{JSON}\n{lines}"))
    assert is_plain_json(reply_of(404, f"{lines}\n{JSON}"))


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        *((205, JSON), (206, JSON), (200, ""), (200, f"{JSON}\n{JSON}"), (200, MIXED)),
        (200, f"{JSON}\nCache-Control: a, No-Transform"),
        (200, f"{JSON}\nCache-Control: a\nCache-Control: b"),
        *((200, f"{JSON}\nLink: <a>"), (200, f"{JSON}\nContent-Encoding: identity")),
    ],
)
def test_what_something_else_in_the_head_speaks_of_is_not_plain(status: int, lines: str) -> None:
    assert not is_plain_json(reply_of(status, lines))


def test_the_coding_of_a_body_is_one_that_we_speak_or_none() -> None:
    assert coding_of(reply_of(200)) == ""
    assert coding_of(reply_of(200, "Content-Encoding: identity")) == ""
    assert coding_of(reply_of(200, "Content-Encoding: gzip")) == "gzip"
    assert coding_of(reply_of(200, "Content-Encoding: zstd")) is None


def test_links_in_fields_are_rewritten_and_the_others_keep_their_bytes() -> None:
    head = reply_of(
        302, f"LOCATION: {PLATFORM}/restapi/x\nlink: <{PLATFORM}/scim>\nX-Uri: {PLATFORM}/scim"
    )
    assert relink_head(head, TO_HERE).fields == fields_of(
        f"LOCATION: {HERE}/restapi/x\nlink: <{HERE}/scim>\nX-Uri: {PLATFORM}/scim"
    )


def test_a_head_says_nothing_of_bytes_that_are_gone() -> None:
    lines = f"""{JSON}
ETag: "a"
Content-MD5: x
Digest: x
Content-Digest: x
Repr-Digest: x
Accept-Ranges: bytes
Content-Length: 9"""
    head = retell(reply_of(200, lines), CHUNKED)
    assert head.framing == CHUNKED
    assert head.fields == fields_of(f'{JSON}\nETag: W/"a"\nContent-Length: 9')


SAID = st.lists(
    st.sampled_from(
        [
            *(JSON, 'ETag: "a"', 'etag: W/"b"', "ETag: c", "Accept-Ranges: bytes", "Digest: x"),
            *("Content-Length: 9", "content-md5: x", "Vary: Origin", "X-A: 1", "X-A: 2"),
        ]
    ),
    max_size=6,
)


@given(SAID, st.sampled_from([CHUNKED, NO_BODY, Framing(Kind.LENGTH, 7)]))
def test_what_stays_true_keeps_its_bytes_and_its_order(lines: list[str], framing: Framing) -> None:
    gone = {"accept-ranges", "digest", "content-md5"}
    if framing is NO_BODY:
        gone.add("content-length")
    kept = [line for line in lines if line.partition(":")[0].lower() not in gone]
    told = retell(reply_of(200, "\n".join(lines)), framing)
    assert told.framing is framing
    assert told.fields == fields_of("\n".join(kept).replace('ETag: "a"', 'ETag: W/"a"'))
    assert told.places.names == tuple(name for name, _ in told.fields)


def test_nothing_else_of_a_head_is_told_anew() -> None:
    head = reply_of(200, f"{JSON}\nAccept-Ranges: bytes\nConnection: x-hop")
    head.reason, head.version, head.connection = b"Fine", b"HTTP/1.0", b"x-hop"
    told = retell(head, CHUNKED)
    assert (told.status, told.reason, told.version) == (200, b"Fine", b"HTTP/1.0")
    assert (told.connection, told.lines) == (b"x-hop", ())


def test_a_head_of_names_that_are_not_remembered_is_told_as_any_other() -> None:
    many = "\n".join(f"X-{number}: a" for number in range(70))
    for _ in range(2):
        head = reply_of(200, f'{many}\n{JSON}\nETag: "a"')
        assert is_plain_json(head)
        assert retell(head, CHUNKED).fields == fields_of(f'{many}\n{JSON}\nETag: W/"a"')
        assert retell(reply_of(200, many), NO_BODY).fields == fields_of(many)


def test_a_bodiless_head_names_no_length_and_a_weak_tag_stays() -> None:
    head = retell(reply_of(200, f'{JSON}\netag: W/"a"\nContent-Length: 9'), NO_BODY)
    assert head.fields == fields_of(f'{JSON}\netag: W/"a"')
    assert head.framing.kind is Kind.NONE
    assert retell(head, Framing(Kind.LENGTH, 3)).framing.length == 3


def test_a_head_that_says_nothing_of_the_bytes_keeps_its_fields() -> None:
    head = reply_of(200, f"{JSON}\nContent-Language: en")
    head.lines = (b"HTTP/1.1 200 OK", b"and the rest")
    told = retell(head, Framing(Kind.LENGTH, 3))
    assert (told.fields, told.framing) == (head.fields, Framing(Kind.LENGTH, 3))
    # They are written as they came.
    assert told.lines is head.lines


@pytest.mark.parametrize(
    ("status", "lines", "speaks"),
    [(304, "", True), (304, "Content-Type: image/png", False), (200, JSON, True), (204, "", False)],
)
def test_a_bodiless_head_may_speak_of_a_body_that_is_rewritten(
    status: int, lines: str, speaks: bool
) -> None:
    plan = plan_of("GET", "/restapi")
    assert speaks_of_a_body(reply_of(status, lines), TO_HERE, plan) is speaks


@pytest.mark.parametrize("kind", ["", "Content-Type: image/png", JSON])
@pytest.mark.parametrize(("held", "speaks"), [('"b", "a"', False), ('W/"a"', True)])
def test_a_304_keeps_the_form_of_tag_that_its_caller_holds(
    kind: str, held: str, speaks: bool
) -> None:
    head = reply_of(304, f'ETag: "a"\n{kind}'.rstrip())
    plan = plan_of("GET", "/restapi", f"If-None-Match: {held}")
    assert speaks_of_a_body(head, TO_HERE, plan) is speaks


def test_the_lines_of_a_condition_are_one_list() -> None:
    plan = plan_of("GET", "/restapi", 'If-None-Match: "a"\nif-none-match: W/"a"')
    assert speaks_of_a_body(reply_of(304, 'ETag: "a"'), TO_HERE, plan)


@pytest.mark.parametrize(
    ("lines", "speaks"),
    [
        *(('ETag: "b"', True), ('ETag: W/"a"', True), ('ETag: "a"\nETag: "b"', True)),
        *(("", True), ('ETag: "b"\nContent-Type: image/png', False)),
    ],
)
def test_a_tag_that_the_caller_does_not_hold_tells_nothing(lines: str, speaks: bool) -> None:
    plan = plan_of("GET", "/restapi", 'If-None-Match: "a"')
    assert speaks_of_a_body(reply_of(304, lines), TO_HERE, plan) is speaks


def test_only_of_a_304_the_caller_holds_the_body() -> None:
    plan = plan_of("HEAD", "/restapi", 'If-None-Match: "a"')
    assert speaks_of_a_body(reply_of(200, f'ETag: "a"\n{JSON}'), TO_HERE, plan)


def test_json_of_a_request_is_restored() -> None:
    restore = restorer_for(request_of("POST", "/restapi", JSON), FROM_HERE)
    assert restore is not None
    sent = f'{{"contentUri":"{HERE}/restapi/1"}}'.encode()
    assert restore(sent) == f'{{"contentUri":"{PLATFORM}/restapi/1"}}'.encode()
    assert restore(b"") == b""


@pytest.mark.parametrize(
    "lines",
    ["", "Content-Type: text/plain", f"{JSON}\ncontent-encoding: gzip"]
    + [f"{JSON}\n{name}: x" for name in ("Content-MD5", "Digest", "Signature")],
)
def test_a_request_of_another_type_or_one_that_is_sealed_is_left_alone(lines: str) -> None:
    assert restorer_for(request_of("POST", "/restapi", lines), FROM_HERE) is None


def test_without_a_name_of_ours_nothing_is_restored() -> None:
    assert restorer_for(request_of("POST", "/restapi", JSON), None) is None


def test_a_head_without_links_is_left_as_it_is() -> None:
    head = reply_of(200, "Content-Type: application/json")
    assert relink_head(head, TO_HERE) is head
