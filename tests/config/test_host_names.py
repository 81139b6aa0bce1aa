"""Names that no host can have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.host_names import find_name_flaw


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "a", "1a.2b", "1.2.3.4", "[::1]", "xn--bcher-kva.de", "a-b.c_d", "a.b."),
        *("a" * 63 + ".example", ".".join(["a" * 61] * 4) + ".abcde"),
    ],
)
def test_a_host_that_can_be_has_no_flaw(host: str) -> None:
    assert find_name_flaw(host) == ""


@pytest.mark.parametrize(
    ("host", "says"),
    [
        *(("a..b", "without a character"), (".a", "without"), ("a..", "without"), (".", "without")),
        *(("-a.b", 'none: "-a"'), ("a.b-", 'none: "b-"'), ("a" * 64, "at most 63"), ("a%20", '"')),
        *(("1.2.3", "not an IPv4"), ("a.1", "not an IPv4"), ("01.2.3.4", "IPv4"), ("7", "IPv4")),
        (".".join(["a" * 61] * 4) + ".abcdef", "254 characters"),
    ],
)
def test_a_host_that_cannot_be_is_told_why(host: str, says: str) -> None:
    assert says in find_name_flaw(host)


@given(st.text(st.sampled_from("ab1-_.%"), max_size=80))
def test_what_python_can_encode_as_a_name_is_all_that_passes(host: str) -> None:
    if not find_name_flaw(host):
        assert host.removesuffix(".").encode("idna") == host.removesuffix(".").encode()
