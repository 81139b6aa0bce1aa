"""gateway/policy/routes.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.message import Listener
from gateway.errors import BadRequest, NoRoute, Refused
from gateway.policy.callers import Callers
from gateway.policy.catalogue import Catalogue
from gateway.policy.routes import Origin, Routes, Scheme, Upstream
from tests.policy.world import (
    CATALOGUE,
    EVERYTHING,
    MEDIA,
    PLATFORM,
    RINGCX,
    callers_of,
    policy_of,
    request_of,
    vectors_of,
)


def routes_of(*upstreams: Upstream, hosts: tuple[str, ...] = ()) -> Routes:
    return Routes({u.name: u for u in upstreams}, CATALOGUE, callers_of(*hosts))


ROUTES = routes_of(*EVERYTHING, hosts=("rc.corp.example",))


@pytest.mark.parametrize("case", vectors_of("policy_routes"), ids=lambda case: case["name"])
def test_the_routing_table(case: Mapping[str, Any]) -> None:
    method, target = case["request"].split(" ")
    request = request_of(method, target)
    if "refused" in case:
        with pytest.raises(Refused) as caught:
            ROUTES.match(request)
        assert caught.value.code == case["refused"]
        assert case["reason"] in caught.value.message
        return
    routed = ROUTES.match(request)
    path = case.get("path", target.partition("?")[0])
    assert (routed.upstream.name, routed.path) == (case["upstream"], path.encode())
    assert routed.request is request


def test_an_upstream_that_is_switched_off_has_no_route_and_no_name() -> None:
    routes = routes_of(PLATFORM, MEDIA)
    with pytest.raises(NoRoute, match="no enabled upstream owns '/voice/api'"):
        routes.match(request_of("GET", "/voice/api"))
    with pytest.raises(BadRequest, match="nor an enabled upstream"):
        routes.match(request_of("GET", "http://ringcx.ringcentral.com/voice/api"))


@pytest.mark.parametrize(
    ("target", "owner"),
    [
        ("/voice/api/x", "ringcx"),
        ("http://localhost:8080/voice/api/x", "ringcx"),
        ("http://platform.ringcentral.com/voice/api/x", None),
        ("/voice/api", "ringcx"),
        ("/voice/api/deep/x", "deep"),
        ("/voice/apix", None),
        ("/Voice/api", None),
        ("/media/voice/api/x", None),
    ],
)
def test_a_path_of_an_upstream_that_is_off_is_told_whose_it_would_be(
    target: str, owner: str | None
) -> None:
    absent = {b"/voice/api": "ringcx", b"/voice/api/deep": "deep"}
    routes = Routes({"platform": PLATFORM, "media": MEDIA}, CATALOGUE, callers_of(), absent)
    with pytest.raises(NoRoute) as caught:
        routes.match(request_of("GET", target))
    hint = f"{owner} would; it is on when the configuration has [upstreams.{owner}]"
    assert caught.value.message.startswith("no enabled upstream owns '/")
    assert caught.value.message.partition("'; ")[2] == (hint if owner else "")


def test_without_media_its_operations_stay_on_platform() -> None:
    routes = routes_of(PLATFORM)
    path = "/restapi/v1.0/account/~/recording/1/content"
    assert routes.match(request_of("GET", path)).upstream is PLATFORM
    with pytest.raises(NoRoute, match="owns '/media/restapi'"):
        routes.match(request_of("GET", "/media/restapi"))


def test_without_platform_media_has_no_paths() -> None:
    routes = routes_of(MEDIA, RINGCX)
    with pytest.raises(NoRoute, match="owns '/media/restapi'"):
        routes.match(request_of("GET", "/media/restapi"))
    with pytest.raises(NoRoute, match="owns '/media/voice/api'"):
        routes.match(request_of("GET", "/media/voice/api"))


def test_without_any_upstream_nothing_has_a_route() -> None:
    with pytest.raises(NoRoute, match="owns '/restapi'"):
        routes_of().match(request_of("GET", "/restapi"))


def test_the_longest_prefix_of_media_is_removed() -> None:
    prefixes = (b"/media", b"/media/of", b"/m")
    media = Upstream("media", MEDIA.origin, "rc", Scheme.BEARER, prefixes)
    routes = routes_of(PLATFORM, media)
    for prefix in ("/media", "/media/of", "/m"):
        routed = routes.match(request_of("GET", f"{prefix}/restapi/v1.0"))
        assert (routed.upstream, routed.path) == (media, b"/restapi/v1.0")


def test_upstreams_on_one_host_are_told_apart_by_path() -> None:
    shared = Origin("https", "rc-proxy.corp.example", 443)
    platform = Upstream("platform", shared, "rc", Scheme.BEARER, (b"/restapi",))
    media = Upstream("media", shared, "rc", Scheme.BEARER, (b"/media",))
    ringcx = Upstream("ringcx", shared, "cx", Scheme.BEARER, (b"/voice/api",))
    routes = routes_of(platform, media, ringcx)

    def upstream_of(path: str) -> str:
        request = request_of("GET", f"http://rc-proxy.corp.example{path}")
        return routes.match(request).upstream.name

    assert upstream_of("/restapi/v1.0") == "platform"
    assert upstream_of("/restapi/v1.0/account/~/recording/1/content") == "media"
    assert upstream_of("/media/restapi/v1.0") == "media"
    assert upstream_of("/voice/api/v1") == "ringcx"


def test_a_host_is_compared_without_regard_to_case_on_both_sides() -> None:
    origin = Origin("https", "Platform.RingCentral.com", 443)
    routes = routes_of(Upstream("platform", origin, "rc", Scheme.BEARER, (b"/restapi",)))
    request = request_of("GET", "http://pLATFORM.ringcentral.COM/restapi")
    assert routes.match(request).upstream.origin is origin


def test_an_upstream_with_an_ipv6_address_is_named_in_brackets() -> None:
    origin = Origin("http", "[::1]", 9080)
    routes = routes_of(Upstream("platform", origin, "rc", Scheme.BEARER, (b"/restapi",)))
    request = request_of("GET", "http://[::1]:80/restapi", listener=Listener(8080))
    assert routes.match(request).upstream.origin is origin


@pytest.mark.parametrize(
    ("origin", "authority", "url"),
    [
        (Origin("https", "a.example", 443), b"a.example", "https://a.example"),
        (Origin("https", "a.example", 80), b"a.example:80", "https://a.example:80"),
        (Origin("https", "a.example", 8443), b"a.example:8443", "https://a.example:8443"),
        (Origin("http", "127.0.0.1", 80), b"127.0.0.1", "http://127.0.0.1"),
        (Origin("http", "127.0.0.1", 443), b"127.0.0.1:443", "http://127.0.0.1:443"),
        (Origin("http", "[::1]", 9080), b"[::1]:9080", "http://[::1]:9080"),
        (Origin("https", "[2001:db8::1]", 443), b"[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_an_origin_leaves_out_the_default_port_of_its_scheme(
    origin: Origin, authority: bytes, url: str
) -> None:
    assert origin.authority == authority
    assert str(origin) == url


@pytest.mark.parametrize(
    ("scheme", "owned"),
    [
        (Scheme.BEARER, True),
        (Scheme.X_AUTH_TOKEN, True),
        (Scheme.PASSTHROUGH, False),
        (Scheme.NONE, False),
    ],
)
def test_the_gateway_owns_the_credentials_that_it_adds(scheme: Scheme, owned: bool) -> None:
    assert scheme.owned is owned


@pytest.mark.parametrize(
    ("request_line", "operation"),
    [
        ("GET /restapi/v1.0/account/~", ("GET", "/restapi/v1.0/account/{accountId}", "Light")),
        ("HEAD /restapi/v1.0/account/~", ("GET", "/restapi/v1.0/account/{accountId}", "Light")),
        ("POST /restapi/v1.0/account/~", None),
        (
            "POST /restapi/v1.0/account/~/ivr-prompts/1?_method=DELETE",
            ("DELETE", "/restapi/v1.0/account/{accountId}/ivr-prompts/{promptId}", "Heavy"),
        ),
        (
            "GET /media/restapi/v1.0/account/~/ivr-prompts/1",
            ("GET", "/restapi/v1.0/account/{accountId}/ivr-prompts/{promptId}", "Medium"),
        ),
    ],
)
def test_the_operation_is_found_by_the_effective_method_and_the_path_that_leaves(
    request_line: str, operation: tuple[str, str, str] | None
) -> None:
    found = ROUTES.match(request_of(*request_line.split(" "))).operation
    assert (found and (found.method, found.template, found.group)) == operation


def test_a_path_of_thousands_of_segments_is_looked_up_by_its_first_ones() -> None:
    class Counting(dict[bytes, Upstream]):
        lookups: list[bytes]

        def get(self, key: bytes, default: object = None) -> Any:
            self.lookups.append(key)
            return super().get(key, None)

    class CountedRoutes(Routes):
        __slots__ = ()

        def count_lookups(self, path: str) -> list[bytes]:
            table = Counting(self._by_prefix)
            table.lookups = []
            self._by_prefix = table
            with pytest.raises(NoRoute, match="no enabled upstream owns"):
                self.match(request_of("GET", path))
            return table.lookups

    routes = CountedRoutes({u.name: u for u in EVERYTHING}, Catalogue([]), Callers())
    assert routes.count_lookups("/x" * 5000) == [b"/x/x", b"/x"]


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("/voice/api/v1/summary/accounts/1/segments/2/agent", Scheme.COOKIE),
        ("/voice/api/v1/Summary/x", Scheme.COOKIE),
        ("/voice/api/v1/%73ummary", Scheme.COOKIE),
        ("/voice/api/v1/summaries", Scheme.BEARER),
        ("/voice/api/v1/admin/accounts", Scheme.BEARER),
    ],
)
def test_a_path_may_have_the_token_presented_in_another_way(path: str, scheme: Scheme) -> None:
    paths = (b"/voice/api/v1/summary",)
    ringcx = replace(RINGCX, cookie_paths=paths)
    routed = policy_of([ringcx]).routes.match(request_of("GET", path))
    assert routed.scheme is scheme
    passing = replace(ringcx, scheme=Scheme.PASSTHROUGH)
    assert policy_of([passing]).routes.match(request_of("GET", path)).scheme is Scheme.PASSTHROUGH
