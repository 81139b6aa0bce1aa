"""gateway/engine/known.py: what follows from a head, and which may be kept."""

import pytest

from gateway.core.framing import EMPTY, NO_BODY, Framing, Kind
from gateway.core.message import RawHead
from gateway.engine.events import Asked
from gateway.engine.known import Known, know
from gateway.pipeline import decide
from gateway.policy.forward import Plan
from tests.policy.world import HERE, fields_of, policy_of

PATH = b"/restapi/v1.0/account/~"


def known_of(method: bytes, target: bytes, lines: str) -> tuple[Known, RawHead]:
    raw = RawHead(method, target, b"HTTP/1.1", fields_of(f"Host: localhost\n{lines}"), HERE)
    plan = decide(raw, policy_of(), 1.0)
    assert isinstance(plan, Plan)
    known = know(raw, plan, Asked())
    assert known is not None
    return known, raw


def test_what_is_sent_follows_from_the_head() -> None:
    known, _ = known_of(b"POST", PATH + b"?_method=PUT", "Content-Length: 3\nAccept: a/b")
    assert known.start.startswith(b"PUT " + PATH + b" HTTP/1.1\r\n")
    assert b"\r\nAccept: a/b\r\n" in known.start
    assert known.start.endswith(b"\r\n")
    assert not known.start.endswith(b"\r\n\r\n")
    assert (known.method, known.length, known.framing) == ("PUT", 3, Framing(Kind.LENGTH, 3))
    assert known.framing.line == b"Content-Length: 3\r\n"


@pytest.mark.parametrize(
    ("method", "lines", "framing", "length"),
    [(b"GET", "", NO_BODY, 0), (b"POST", "Content-Length: 0", EMPTY, 0)],
)
def test_a_request_without_a_body_has_no_length(
    method: bytes, lines: str, framing: Framing, length: int
) -> None:
    known, _ = known_of(method, PATH, lines)
    assert (known.framing, known.length) == (framing, length)


@pytest.mark.parametrize(("lines", "is_last"), [("", False), ("Connection: a, CLOSE", True)])
def test_a_caller_may_end_the_connection(lines: str, is_last: bool) -> None:
    assert known_of(b"GET", PATH, lines)[0].is_last is is_last


@pytest.mark.parametrize(
    ("target", "lines", "is_kept"),
    [
        (PATH, "", True),
        (PATH, "Authorization: Bearer s3cr3t", True),
        (PATH, "X-Request-Id: r-1", False),
        (PATH, "TraceParent: 00-1", False),
        (PATH + b"?t%6fken=s", "", False),
        (PATH, "X-Api-Key: s3cr3t", False),
    ],
)
def test_a_head_with_something_of_its_own_is_not_kept(
    target: bytes, lines: str, is_kept: bool
) -> None:
    known, _ = known_of(b"GET", target, lines)
    assert known.may_be_kept() is is_kept


def test_what_is_kept_has_no_credential() -> None:
    known, _ = known_of(b"GET", PATH, "Authorization: Bearer s3cr3t\nAccept: a/b")
    assert any(b"s3cr3t" in value for _, value in known.plan.request.fields)
    kept = known.without_credentials()
    assert [name for name, _ in kept.plan.request.fields] == [b"Host", b"Accept"]
    assert (kept.start, kept.plan.outbound) == (known.start, known.plan.outbound)


def test_a_request_id_that_is_not_plain_is_not_known() -> None:
    raw = RawHead(b"GET", PATH, b"HTTP/1.1", fields_of("Host: localhost\nX-Request-Id: a b"), HERE)
    plan = decide(raw, policy_of(), 1.0)
    assert isinstance(plan, Plan)
    assert know(raw, plan, Asked()) is None
