"""gateway/policy/rate_fields.py."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import NO_BODY
from gateway.policy.rate_fields import RateFields, parse_retry_after, read_rate_fields
from tests.policy.world import reply_of
from tests.replies import reply_head

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT
DAY = 86400.0
NAMES = [b"X-Rate-Limit-Group", b"x-rate-limit-WINDOW", b"X-Rate-Limit-Limit", b"Date"]


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (
            "X-Rate-Limit-Group: heavy\nX-Rate-Limit-Limit: 10\n"
            "X-Rate-Limit-Remaining: 9\nX-Rate-Limit-Window: 60",
            RateFields("heavy", 10, 9, 60.0),
        ),
        ("x-rate-limit-group: HEAVY", RateFields("heavy")),
        ("X-Rate-Limit-Group: super_Heavy-2.x", RateFields("super_heavy-2.x")),
        ("X-Rate-Limit-Group: a b\nX-Rate-Limit-Limit: 5", RateFields("", 5)),
        (f"X-Rate-Limit-Group: {'a' * 41}", RateFields()),
        ("X-Rate-Limit-Remaining: 0", RateFields(remaining=0)),
        ("X-Rate-Limit-Remaining: -1", RateFields()),
        ("X-Rate-Limit-Window: 1.5", RateFields(window_s=1.5)),
        ("X-Rate-Limit-Window: 0", RateFields()),
        ("X-Rate-Limit-Window: 1e3", RateFields()),
        ("X-Rate-Limit-Window: 999999999", RateFields(window_s=DAY)),
        ("X-Rate-Limit-Limit: 0", RateFields()),
        ("X-Rate-Limit-Limit: 5\nX-Rate-Limit-Limit: 6", RateFields(limit=5)),
        # The vendor's documentation has this spelling once; its service does not.
        ("X-RateLimit-Limit: 5", None),
        ("X-Rate-Limit-Reset: 5", None),
        ("X-Rate-Limit-Other: 5", None),
        ("X-Rate-Limits-Of: 5", None),
        ("", None),
    ],
)
def test_an_answer_tells_its_group(lines: str, read: RateFields | None) -> None:
    assert read_rate_fields(reply_of(200, lines)) == read


@pytest.mark.parametrize(
    ("lines", "wait_s"),
    [
        ("Retry-After: 60", 60.0),
        ("retry-after: 0", 0.0),
        ("Retry-After: 2.5", 2.5),
        ("Retry-After: 999999999", DAY),
        ("Retry-After: 5\nRetry-After: 60", 5.0),
        ("Retry-After: Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Retry-After: Sunday, 06-Nov-94 08:50:07 GMT", 30.0),
        ("Retry-After: Sun Nov  6 08:50:07 1994", 30.0),
        ("Retry-After: Sun, 06 Nov 1994 08:49:00 GMT", 0.0),
        ("Retry-After: Sun, 06 Nov 2094 08:49:00 GMT", DAY),
        ("Retry-After: -5", None),
        ("Retry-After: soon", None),
        ("Retry-After: Sun, 99 Nov 1994 08:49:00 GMT", None),
        ("Retry-After:", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(lines: str, wait_s: float | None) -> None:
    assert parse_retry_after(reply_of(429, lines).first(b"retry-after"), NOW) == wait_s


@given(st.binary(max_size=60))
def test_any_value_is_a_bounded_wait_or_nothing(value: bytes) -> None:
    wait_s = parse_retry_after(value, NOW)
    assert wait_s is None or 0 <= wait_s <= DAY


@given(st.integers(0, 86400))
def test_a_date_is_as_good_as_its_seconds(wait_s: int) -> None:
    assert parse_retry_after(formatdate(NOW + wait_s, usegmt=True).encode(), NOW) == wait_s


def test_fields_of_names_that_are_not_remembered_are_read_as_any_others() -> None:
    many = "\n".join(f"X-{number}: a" for number in range(70))
    for _ in range(2):
        read = read_rate_fields(reply_of(200, f"{many}\nX-Rate-Limit-Remaining: 7"))
        assert read == RateFields(remaining=7)
        assert read_rate_fields(reply_of(200, many)) is None


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=20)), max_size=5))
def test_any_fields_are_read(pairs: list[tuple[bytes, bytes]]) -> None:
    named = [(b"X-Rate-Limit-Remaining", value) for _, value in pairs]
    head = reply_head(200, b"", b"HTTP/1.1", (*pairs, *named), NO_BODY)
    read = read_rate_fields(head)
    assert (read is not None) or not pairs
