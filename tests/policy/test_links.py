"""gateway/policy/links.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.links import Links, rewrite_field
from gateway.core.message import Listener
from gateway.policy.callers import Callers
from gateway.policy.links import LinkRules
from gateway.policy.routes import Origin, Routes, Upstream
from tests.policy.world import (
    CATALOGUE,
    EVERYTHING,
    MEDIA,
    PLATFORM,
    RINGCX,
    callers_of,
    request_of,
)

UPSTREAMS = {upstream.name: upstream for upstream in EVERYTHING}
ASKED = "Host: localhost:8080"
PUBLIC = Origin("https", "rc.corp.example", 443)


def rules_of(
    *upstreams: Upstream, public: Origin | None = None, callers: Callers | None = None
) -> LinkRules:
    table = {upstream.name: upstream for upstream in upstreams} or UPSTREAMS
    return LinkRules(table, callers or callers_of("rc.corp.example"), public)


def say(uri: str, links: Links | None) -> str:
    assert links is not None
    return rewrite_field(b"location", uri.encode(), links).decode()


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        (f"{PLATFORM.origin}/restapi/v1.0/x?a=1", "/restapi/v1.0/x?a=1"),
        (f"{PLATFORM.origin}/cx/social-messaging/v1", "/cx/social-messaging/v1"),
        (f"{PLATFORM.origin}", ""),
        (f"{MEDIA.origin}/restapi/v1.0/x/content/1", "/media/restapi/v1.0/x/content/1"),
        (f"{RINGCX.origin}/cx/integration", "/cx/integration"),
        ("https://portal.vacd.biz/api/v1/x", "/api/v1/x"),
        ("https://acme.api.digital.ringcentral.com/1.0/x", "/1.0/x"),
    ],
)
def test_a_link_is_written_for_here_and_restored_to_what_it_was(uri: str, here: str) -> None:
    rules, request = rules_of(), request_of("GET", "/restapi", ASKED)
    assert say(uri, rules.outward(request)) == f"http://localhost:8080{here}"
    assert say(f"http://localhost:8080{here}", rules.inward(request)) == uri


@pytest.mark.parametrize(
    "uri",
    [
        f"{PLATFORM.origin}/elsewhere",
        f"{PLATFORM.origin}/voice/api/v1",
        f"{MEDIA.origin}/elsewhere",
        f"{MEDIA.origin}/cx/integration",
        f"{MEDIA.origin}",
        f"{RINGCX.origin}/cx/social-messaging/v1",
        f"{RINGCX.origin}",
        "https://other.api.digital.ringcentral.com/1.0/x",
    ],
)
def test_a_link_that_would_not_come_back_to_its_upstream_stays(uri: str) -> None:
    assert say(uri, rules_of().outward(request_of("GET", "/restapi", ASKED))) == uri


@pytest.mark.parametrize(
    ("lines", "origin"),
    [
        ("Host: localhost:8080", "http://localhost:8080"),
        ("Host: LOCALHOST", "http://localhost"),
        ("Host: [::1]:8080", "http://[::1]:8080"),
        ("Host: rc.corp.example", "http://rc.corp.example"),
        ("Host: rc.corp.example:8080", "http://rc.corp.example:8080"),
    ],
)
def test_without_a_public_origin_the_name_that_was_asked_is_written(
    lines: str, origin: str
) -> None:
    links = rules_of().outward(request_of("GET", "/restapi", lines))
    assert say(f"{PLATFORM.origin}/scim", links) == f"{origin}/scim"


@pytest.mark.parametrize("lines", ["Host: evil.example", "Host: localhost:9", "Host: 10.0.0.1"])
def test_a_name_that_is_not_ours_is_never_written(lines: str) -> None:
    request = request_of("GET", "/restapi", lines, listener=Listener(8080))
    assert rules_of().outward(request) is None
    assert rules_of().inward(request) is None
    links = rules_of(public=PUBLIC).outward(request)
    assert say(f"{PLATFORM.origin}/scim", links) == "https://rc.corp.example/scim"


def test_a_request_without_a_name_gets_the_links_of_upstream() -> None:
    request = request_of("GET", "/restapi", version="1.0")
    assert rules_of().outward(request) is None


ASKED_AS_PROXY = "http://platform.ringcentral.com/restapi"


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        (
            f"{PLATFORM.origin}/restapi/v1.0/x?a=1",
            "http://platform.ringcentral.com/restapi/v1.0/x?a=1",
        ),
        (f"{PLATFORM.origin}:443/restapi", "http://platform.ringcentral.com/restapi"),
        (f"{MEDIA.origin}/restapi/v1.0/x", "http://media.ringcentral.com/restapi/v1.0/x"),
        (f"{RINGCX.origin}/cx/integration", "http://ringcx.ringcentral.com/cx/integration"),
        (f"{RINGCX.origin}/cx/social-messaging/v1", None),
        (f"{MEDIA.origin}/elsewhere", None),
    ],
)
def test_whose_proxy_we_are_gets_links_for_its_proxy(uri: str, here: str | None) -> None:
    rules = rules_of()
    for target in (ASKED_AS_PROXY, "HTTP://media.ringcentral.com:80/restapi"):
        request = request_of("POST", target, "Host: localhost:8080")
        assert say(uri, rules.outward(request)) == (here or uri)
        if here is not None:
            assert say(here, rules.inward(request)) == uri.replace(":443", "")
            routed = Routes(UPSTREAMS, CATALOGUE, callers_of()).match(request_of("GET", here))
            assert (
                str(routed.upstream.origin)
                == uri.replace(":443", "")[: len(str(routed.upstream.origin))]
            )


def test_who_asks_a_proxy_for_https_keeps_the_links() -> None:
    request = request_of("GET", "https://platform.ringcentral.com/restapi", ASKED)
    assert rules_of().of(request) == (None, None)


def test_what_we_are_asked_for_as_a_proxy_does_not_hide_the_public_name() -> None:
    request = request_of("GET", ASKED_AS_PROXY, ASKED)
    rules = rules_of(public=PUBLIC)
    assert say(f"{PLATFORM.origin}/scim", rules.outward(request)) == f"{PUBLIC}/scim"
    for name in (str(PUBLIC), "http://platform.ringcentral.com"):
        assert say(f"{name}/scim", rules.inward(request)) == f"{PLATFORM.origin}/scim"


def test_our_own_name_in_a_url_stands_for_host() -> None:
    request = request_of("GET", "http://127.0.0.1:8080/restapi", "Host: evil.example")
    assert say(f"{PLATFORM.origin}/scim", rules_of().outward(request)) == (
        "http://127.0.0.1:8080/scim"
    )


@pytest.mark.parametrize(
    "origin",
    [
        Origin("https", "127.0.0.1", 9080),
        Origin("http", "localhost", 9080),
        Origin("https", "rc.corp.example", 443),
    ],
)
def test_an_upstream_that_no_proxy_is_asked_for_keeps_its_links(origin: Origin) -> None:
    near = Upstream("ringcx", origin, "ringcx", RINGCX.scheme, RINGCX.prefixes)
    rules, request = rules_of(PLATFORM, near), request_of("POST", ASKED_AS_PROXY)
    for uri in (f"{origin}/cx/1", f"http://{origin.host}/cx/1"):
        assert say(uri, rules.outward(request)) == say(uri, rules.inward(request)) == uri


def test_what_is_remembered_of_fields_is_not_another_targets() -> None:
    rules = rules_of()
    as_proxy, as_host = request_of("GET", ASKED_AS_PROXY, ASKED), request_of("GET", "/scim", ASKED)
    for request in (as_proxy, as_host, as_proxy):
        assert rules.of(request) == (rules.outward(request), rules.inward(request))
    assert rules.of(as_proxy) != rules.of(as_host)


def test_both_the_public_name_and_the_one_that_was_asked_are_restored() -> None:
    links = rules_of(public=PUBLIC).inward(request_of("POST", "/restapi", ASKED))
    for name in ("https://rc.corp.example", "http://localhost:8080"):
        assert say(f"{name}/media/restapi/1", links) == f"{MEDIA.origin}/restapi/1"
        assert say(f"{name}/restapi/1", links) == f"{PLATFORM.origin}/restapi/1"


def test_one_origin_for_all_upstreams_needs_no_prefix_for_media() -> None:
    origin = Origin("http", "127.0.0.1", 9080)
    together = [
        Upstream(u.name, origin, u.credential, u.scheme, u.prefixes) for u in (PLATFORM, MEDIA)
    ]
    links = rules_of(*together).outward(request_of("GET", "/restapi", ASKED))
    assert say("http://127.0.0.1:9080/restapi/1", links) == "http://localhost:8080/restapi/1"
    assert links is not None
    assert links.written == (b"http://localhost:8080",)


def test_an_origin_that_upstreams_share_is_found_for_each_of_their_paths() -> None:
    origin = Origin("http", "127.0.0.1", 9080)
    table = {
        u.name: Upstream(u.name, origin, u.credential, u.scheme, u.prefixes) for u in EVERYTHING
    }
    links = LinkRules(table, callers_of()).outward(request_of("GET", "/restapi", ASKED))
    assert links is not None
    assert len(links.written) == len(table) - 1
    for upstream in table.values():
        for prefix in upstream.prefixes if upstream.name != "media" else ():
            uri = f"{origin}{prefix.decode()}/1"
            assert say(uri, links) == uri.replace(str(origin), "http://localhost:8080")


@pytest.mark.parametrize("upstream", [PLATFORM, MEDIA])
def test_an_upstream_alone_does_what_it_can(upstream: Upstream) -> None:
    links = rules_of(upstream).outward(request_of("GET", "/restapi", ASKED))
    here = say(f"{upstream.origin}/restapi", links)
    assert here.startswith("http://localhost") == (upstream is PLATFORM)


def test_what_is_made_for_a_name_is_kept_and_the_names_are_bounded() -> None:
    rules = rules_of()
    request = request_of("GET", "/restapi", ASKED)
    first = rules.outward(request)
    assert rules.outward(request) is first
    for number in range(64):
        rules.outward(request_of("GET", "/restapi", f"Host: 127.0.0.{number + 1}"))
    assert rules.outward(request) == first
    assert rules.outward(request) is not first


@given(
    st.sampled_from(EVERYTHING),
    st.lists(st.sampled_from(["/restapi", "/cx", "/social-messaging", "/api/v2", "/1.0", "/x"])),
)
def test_whatever_is_rewritten_is_routed_to_the_upstream_that_it_named(
    upstream: Upstream, segments: list[str]
) -> None:
    uri = f"{upstream.origin}{''.join(segments)}"
    here = say(uri, rules_of().outward(request_of("GET", "/restapi", ASKED)))
    if here == uri or not segments:
        return
    request = request_of("GET", here.removeprefix("http://localhost:8080"), ASKED)
    routed = Routes(UPSTREAMS, CATALOGUE, Callers()).match(request)
    assert (routed.upstream, routed.path.decode()) == (upstream, "".join(segments))


def test_what_is_faster_is_made_of_the_pattern_and_of_what_is_written() -> None:
    made: list[tuple[bytes, tuple[bytes, ...]]] = []

    def accelerate(pattern: bytes, written: tuple[bytes, ...]) -> None:
        made.append((pattern, written))

    table = {"platform": PLATFORM, "media": MEDIA}
    rules = LinkRules(table, callers_of(), accelerate=accelerate)
    asked = request_of("GET", "/restapi/v1.0", ASKED)
    outward = rules.outward(asked)
    assert outward is not None
    assert rules.outward(asked) is outward
    assert made == [
        (outward.found.machine_pattern, (b"http://localhost:8080", b"http://localhost:8080/media"))
    ]


@pytest.mark.parametrize(("lines", "kept"), [(ASKED, True), (f"{ASKED}\nX-Token: s", False)])
def test_what_is_remembered_of_fields_is_what_would_be_found(lines: str, *, kept: bool) -> None:
    rules, request = rules_of(), request_of("POST", "/restapi", lines)
    found = [rules.of(request) for _ in range(2)]
    assert found == [(rules.outward(request), rules.inward(request))] * 2
    assert len(rules._known) == kept


def test_links_are_remembered_for_few_names() -> None:
    rules = rules_of()
    for number in range(300):
        rules.of(request_of("GET", "/restapi", f"Host: 127.0.0.{number % 250 + 1}\nX: {number}"))
        assert len(rules._known) <= 64
