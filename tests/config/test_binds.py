"""Binds: one spelling each, and the reason of every refusal."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.binds import Bind, parse_bind
from tests.config.loading import reason_of, vectors_of

CASES = vectors_of("config_binds")


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["text"]))
def test_a_bind_is_read_or_refused_with_its_reason(case: Mapping[str, Any]) -> None:
    if "refused" in case:
        assert case["refused"] in reason_of(parse_bind, case["text"])
        return
    bind = parse_bind(case["text"])
    assert (bind.host, bind.port, bind.path) == tuple(
        case.get(key) for key in ("host", "port", "path")
    )
    assert bind.is_loopback is case["loopback"]
    assert str(bind) == case["text"]


@given(st.text() | st.from_regex(r"(\[[0-9a-f:.%]*\]|[a-z0-9.-]*|unix):[0-9/a-z]*", fullmatch=True))
def test_any_text_comes_back_as_it_was_or_is_refused(text: str) -> None:
    try:
        bind = parse_bind(text)
    except ValueError:
        return
    assert str(bind) == text


hosts = st.one_of(
    st.ip_addresses().map(str), st.from_regex(r"[a-z][a-z0-9]{0,9}(\.[a-z]{1,9})?", fullmatch=True)
)
binds = st.one_of(
    st.builds(Bind, host=hosts, port=st.integers(0, 65535)),
    st.builds(
        Bind,
        path=st.from_regex(r"(/[A-Za-z0-9._ -]{1,20}){1,4}", fullmatch=True),
    ),
)


@given(binds)
def test_every_bind_reads_back_from_its_text(bind: Bind) -> None:
    assert parse_bind(str(bind)) == bind


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.0.0.0:1", True), ("[::]:1", True), ("127.0.0.1:1", False), ("unix:/a", False)],
)
def test_every_interface_is_known_as_such(text: str, expected: bool) -> None:
    assert parse_bind(text).is_wildcard is expected


@pytest.mark.parametrize(
    ("bind", "host", "port", "expected"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "localhost", 8080, True),
        ("[::1]:8080", "localhost", 8080, True),
        ("localhost:8080", "[::1]", 8080, True),
        ("0.0.0.0:8080", "localhost", 8080, True),
        ("0.0.0.0:8080", "127.0.0.2", 8080, True),
        ("[::]:8080", "[::1]", 8080, True),
        ("[2001:db8::1]:443", "[2001:DB8::1]", 443, True),
        ("Rc.Corp.Example:443", "rc.corp.example", 443, True),
        # A gateway may stand before another one on the same machine.
        ("127.0.0.1:8080", "127.0.0.2", 8080, False),
        ("127.0.0.1:8080", "[::1]", 8080, False),
        ("0.0.0.0:8080", "[::1]", 8080, False),
        ("[::]:8080", "127.0.0.1", 8080, False),
        ("127.0.0.1:8080", "127.0.0.1", 8081, False),
        ("127.0.0.1:8080", "192.0.2.1", 8080, False),
        ("0.0.0.0:8080", "platform.ringcentral.com", 8080, False),
        ("192.0.2.1:8080", "127.0.0.1", 8080, False),
        ("127.0.0.1:0", "127.0.0.1", 0, False),
        ("unix:/a", "localhost", 443, False),
        ("0.0.0.0:443", "", 443, False),
    ],
)
def test_a_bind_is_reached_at_each_name_of_this_machine(
    bind: str, host: str, port: int, expected: bool
) -> None:
    assert parse_bind(bind).is_reached_at(host, port) is expected
