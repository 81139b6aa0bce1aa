"""Which Host the operators' listener takes for its own."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ops.own_name import is_own_name


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "localhost.",
        "localhost:",
        "LocalHost:1",
        "127.0.0.1",
        "127.0.0.1:9902",
        "[::1]",
        "[::1]:8888",
        "192.0.2.7",
    ],
)
def test_an_address_and_localhost_are_its_own_with_any_port(host: str) -> None:
    assert is_own_name(host, ())


@given(st.ip_addresses(), st.integers(1, 65535))
def test_no_address_was_rebound(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    written = f"[{address}]" if address.version == 6 else str(address)
    assert is_own_name(written, ())
    assert is_own_name(f"{written}:{port}", ())


@pytest.mark.parametrize("listed", ["rc.corp.example", "RC.corp.example:8080"])
@pytest.mark.parametrize("host", ["rc.corp.example", "rc.CORP.example:9902"])
def test_a_listed_name_is_its_own_with_any_port(host: str, listed: str) -> None:
    assert is_own_name(host, ("a.example", listed))


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost"),
        *(":", ":9902", "a b", "localhost:99999", "user@localhost", "localhost/", "localhost,evil"),
        *("rc.corp.example.evil", "\udcff", "\xe4.example", "127.1", "0x7f.1"),
    ],
)
def test_any_other_name_is_not(host: str) -> None:
    assert not is_own_name(host, ("rc.corp.example",))


@given(st.text())
def test_whatever_is_asked_it_says_yes_or_no(host: str) -> None:
    assert is_own_name(host, (host,)) in (True, False)
