"""gateway/policy/reply.py: how the body of a reply leaves, and what the head says of it."""

import pytest

from gateway.core.framing import CHUNKED, EMPTY, NO_BODY, UNTIL_CLOSE, Framing, Kind, frame_reply
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.policy.forward import Plan
from gateway.policy.reply import ReplyHeads
from tests.policy.world import fields_of, plan_of, reply_of
from tests.replies import read_lines, reply_head

PATH = "/restapi/v1.0/account/~"


def framing_and_fields(plan: Plan, head: ReplyHead) -> tuple[Framing, Fields]:
    framing, line = ReplyHeads(plan).frame(head)
    return framing, read_lines(line)


@pytest.mark.parametrize(
    ("framing", "version", "left", "lines"),
    [
        (Framing(Kind.LENGTH, 42), "1.1", Framing(Kind.LENGTH, 42), "Content-Length: 42"),
        (Framing(Kind.LENGTH, 42), "1.0", Framing(Kind.LENGTH, 42), "Content-Length: 42"),
        (EMPTY, "1.1", EMPTY, "Content-Length: 0"),
        (CHUNKED, "1.1", CHUNKED, "Transfer-Encoding: chunked"),
        (CHUNKED, "1.0", UNTIL_CLOSE, ""),
        (UNTIL_CLOSE, "1.1", CHUNKED, "Transfer-Encoding: chunked"),
        (UNTIL_CLOSE, "1.0", UNTIL_CLOSE, ""),
        (NO_BODY, "1.1", NO_BODY, ""),
        (NO_BODY, "1.0", NO_BODY, ""),
    ],
)
def test_a_body_leaves_in_a_framing_that_the_caller_can_read(
    framing: Framing, version: str, left: Framing, lines: str
) -> None:
    plan = plan_of("GET", PATH, version=version)
    # A length is taken from the framing that was believed, never from a field.
    reply = reply_of(200, "" if framing is NO_BODY else "Content-Length: 7", framing)
    assert framing_and_fields(plan, reply) == (left, fields_of(lines))


@pytest.mark.parametrize(
    ("method", "status", "lines", "declared"),
    [
        ("HEAD", 200, "content-length: 42", "Content-Length: 42"),
        ("HEAD", 200, "Transfer-Encoding: chunked", ""),
        ("HEAD", 200, "", ""),
        ("HEAD", 204, "Content-Length: 0", ""),
        ("GET", 204, "Content-Length: 0", ""),
        ("GET", 204, "Content-Length: 42", ""),
        ("DELETE", 204, "Transfer-Encoding: chunked", ""),
        ("GET", 304, "Content-Length: 42", "Content-Length: 42"),
        ("GET", 304, "", ""),
        ("HEAD", 304, "Content-Length: 42", "Content-Length: 42"),
        ("GET", 103, "Content-Length: 42", ""),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_reply_without_a_body_declares_a_length_only_where_it_may(
    method: str, status: int, lines: str, declared: str, version: str
) -> None:
    fields = fields_of(lines)
    framing = frame_reply(fields, b"HTTP/1.1", method, status)
    reply = reply_head(status, b"", b"HTTP/1.1", fields, framing)
    plan = plan_of(method, PATH, version=version)
    assert framing_and_fields(plan, reply) == (NO_BODY, fields_of(declared))


@pytest.mark.parametrize(
    ("framing", "lines"),
    [
        (Framing(Kind.LENGTH, 42), "Content-Length: 42"),
        (EMPTY, "Content-Length: 0"),
        (CHUNKED, ""),
        (UNTIL_CLOSE, ""),
    ],
)
def test_a_head_that_left_as_get_is_answered_as_a_head(framing: Framing, lines: str) -> None:
    plan = plan_of("HEAD", PATH, tunnel="header")
    reply = reply_of(200, lines, framing)
    assert framing_and_fields(plan, reply) == (NO_BODY, fields_of(lines))


@pytest.mark.parametrize("framing", [NO_BODY, EMPTY, Framing(Kind.LENGTH, 9), CHUNKED, UNTIL_CLOSE])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_205_has_no_content_whatever_upstream_framed(framing: Framing, version: str) -> None:
    plan = plan_of("POST", PATH, version=version)
    reply = reply_of(205, "Content-Length: 9", framing)
    assert framing_and_fields(plan, reply) == (EMPTY, fields_of("Content-Length: 0"))
