"""gateway/policy/callers.py."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.message import Listener, RawHead, Rules, normalize
from gateway.errors import NotPermitted
from gateway.policy.callers import LOCAL, Callers, identify, is_loopback
from tests.policy.world import (
    HERE,
    LISTENERS,
    authority,
    callers_of,
    fields_of,
    request_of,
    vectors_of,
)


def head_of(text: str, listener: Listener) -> RawHead:
    line, _, rest = text.strip().partition("\n")
    method, target, version = line.split(" ")
    return RawHead(method.encode(), target.encode(), version.encode(), fields_of(rest), listener)


@pytest.mark.parametrize("case", vectors_of("policy_pages"), ids=lambda case: case["name"])
def test_pages_we_do_not_know(case: Mapping[str, Any]) -> None:
    head = head_of(case["head"], LISTENERS[case.get("listener", "loopback")])
    request = normalize(head, Rules())
    callers = callers_of(*case.get("hosts", []))
    if "refused" not in case:
        assert identify(request, callers) == LOCAL
        return
    with pytest.raises(NotPermitted) as caught:
        identify(request, callers)
    assert case["refused"] in caught.value.message


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_site_may_use_no_method_that_does_more_than_read(method: str) -> None:
    with pytest.raises(NotPermitted, match=f"{method} from a page of another site"):
        identify(request_of(method, "/restapi", "Sec-Fetch-Site: cross-site"), Callers())
    with pytest.raises(NotPermitted, match=f"{method} from a page of origin 'null'"):
        identify(request_of(method, "/restapi", "Origin: null"), Callers())


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
def test_the_effective_method_is_judged_and_named(verb: str) -> None:
    request = request_of("POST", "/restapi", f"X-HTTP-Method-Override: {verb}\nOrigin: null")
    with pytest.raises(NotPermitted, match=f"{verb} from a page of origin 'null'"):
        identify(request, Callers())


@pytest.mark.parametrize("origin", ["http://localhost", "http://127.0.0.1", "http://[::1]:80"])
def test_a_page_of_ours_on_port_80_has_no_port_in_its_origin(origin: str) -> None:
    lines = f"Host: localhost\nOrigin: {origin}"
    request = request_of("POST", "/restapi", lines, listener=Listener(80, loopback=True))
    assert identify(request, Callers()) == LOCAL


def test_the_message_shows_no_more_than_the_beginning_of_an_origin() -> None:
    request = request_of("POST", "/restapi", f"Origin: https://{'x' * 200}.example")
    with pytest.raises(NotPermitted) as caught:
        identify(request, Callers())
    assert "x" * 72 + "'" in caught.value.message
    assert "x" * 73 not in caught.value.message


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        (b"localhost", True),
        (b"127.0.0.1", True),
        (b"127.255.255.254", True),
        (b"[::1]", True),
        (b"[0:0::1]", True),
        (b"localhost.", False),
        (b"127.1", False),
        (b"2130706433", False),
        (b"0.0.0.0", False),
        (b"128.0.0.1", False),
        (b"[::]", False),
        (b"[fe80::1]", False),
        (b"127.0.0.1.evil.example", False),
    ],
)
def test_a_loopback_name_is_localhost_or_an_address_written_in_full(
    host: bytes, verdict: bool
) -> None:
    assert is_loopback(host) is verdict


@pytest.mark.parametrize(
    ("name", "listener", "own"),
    [
        ("127.0.0.1:8080", HERE, True),
        ("127.0.0.1", HERE, True),
        ("127.0.0.1:80", HERE, False),
        ("a.example", HERE, True),
        ("a.example:8080", HERE, True),
        ("a.example:80", HERE, False),
        ("b.example:9443", HERE, True),
        ("b.example:8080", HERE, False),
        ("b.example", HERE, False),
        ("c.example", HERE, False),
        ("localhost", Listener(), True),
        ("localhost:8080", Listener(), False),
        ("a.example", Listener(), True),
        ("a.example:80", Listener(), False),
    ],
)
def test_a_name_is_ours_with_our_port_or_none(name: str, listener: Listener, own: bool) -> None:
    callers = callers_of("a.example", "b.example:9443")
    assert callers.is_own(authority(name), listener) is own


PIECES = st.sampled_from(
    [
        *("http://", "https://", "HTTP://", "//", "/", "null", "@", " ", ",", "?", "#", "%"),
        *("localhost", "LOCALHOST", "127.0.0.1", "[::1]", "evil.example", "."),
        *(":", ":8080", ":80", ":443", ":08080", ":99999", "8080", "\u00e9"),
    ]
)
OURS = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\]):0?8080", re.IGNORECASE)


@given(st.lists(PIECES, min_size=1, max_size=5).map(lambda parts: "".join(parts).strip()))
@example("http://localhost:8080")
def test_an_origin_is_ours_only_when_it_is_spelled_like_ours(origin: str) -> None:
    request = request_of("POST", "/restapi", f"Origin: {origin}")
    if OURS.fullmatch(origin):
        assert identify(request, Callers()) == LOCAL
    else:
        with pytest.raises(NotPermitted, match="from a page of origin"):
            identify(request, Callers())
