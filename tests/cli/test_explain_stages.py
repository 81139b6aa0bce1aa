"""Each stage tells what it did, and is silent when it did nothing."""

import pytest

from gateway.cli.explain_stages import Step, walk, walk_to
from gateway.config.compile import compile_policy
from gateway.config.load import load
from gateway.core.headers import Field
from gateway.core.message import Listener, RawHead
from gateway.errors import BadRequest
from gateway.pipeline import Policy

STATIC = ("credentials.ringcentral.grant=static", "credentials.ringcentral.token=literal:x")


def make_policy(*sets: str) -> Policy:
    return compile_policy(load([], [*STATIC, *sets], {}).config)


def steps_of(
    target: bytes, *fields: Field, method: bytes = b"POST", policy: Policy | None = None
) -> list[tuple[str, str, str]]:
    host = (b"Host", b"127.0.0.1:8080")
    raw = RawHead(method, target, b"HTTP/1.1", (host, *fields), Listener(8080, True))
    steps = walk(raw, policy or make_policy(), is_answered_here=False)
    return [(step.stage, step.about, step.text) for step in steps]


def test_a_plain_request_passes_framing_caller_route_and_permit() -> None:
    assert steps_of(b"/scim/x", method=b"GET") == [
        ("framing", "", "no body"),
        ("caller", "", "local"),
        ("route", "platform", "it owns /scim"),
        ("operation", "", "not in the catalogue, so no rate group is known"),
        ("permit", "", "the path is not reserved for the gateway"),
        ("links", "", "those of upstreams become http://127.0.0.1:8080 in the answer"),
    ]


@pytest.mark.parametrize(
    ("target", "fields", "step"),
    [
        (b"/restapi", [(b"Content-Length", b"7")], ("framing", "", "a body of 7 bytes")),
        (b"/restapi", [(b"Transfer-Encoding", b"chunked")], ("framing", "", "a chunked body")),
        (
            b"http://127.0.0.1:8080/restapi",
            [],
            ("target", "", "a URL, whose 127.0.0.1 stands for Host"),
        ),
        (
            b"/restapi?a=b",
            [],
            ("query", "", "nothing to say (profile ringcentral, mode reject)"),
        ),
        (b"/restapi?_method=put", [], ("override", "_method", "POST becomes PUT")),
        (
            b"/restapi?_method=put",
            [(b"X-HTTP-Method-Override", b"PUT")],
            ("override", "X-HTTP-Method-Override and _method", "POST becomes PUT"),
        ),
        (
            b"/restapi",
            [(b"X-HTTP-Method-Override", b"post")],
            ("override", "X-HTTP-Method-Override", "names the method that is there; removed"),
        ),
        (
            b"/restapi?a&_method",
            [],
            ("override", "_method", "empty, so it counts as absent; removed"),
        ),
        (
            b"/restapi",
            [(b"Expect", b"100-continue")],
            ("expect", "", "100-continue is answered by the gateway, after these rules"),
        ),
        (
            b"/media/restapi/v1.0/x",
            [],
            ("route", "media", "the path begins with /media, which is removed"),
        ),
        (
            b"https://media.ringcentral.com/restapi/v1.0/x",
            [],
            ("route", "media", "the URL names it"),
        ),
    ],
)
def test_a_rule_that_fires_is_told(
    target: bytes, fields: list[Field], step: tuple[str, str, str]
) -> None:
    steps = steps_of(target, *fields)
    assert step in steps
    assert [told[0] for told in steps].count(step[0]) == 1


@pytest.mark.parametrize(("setting", "done"), [("report", "reported: "), ("repair", "repaired: ")])
def test_each_finding_is_told_with_what_was_done(setting: str, done: str) -> None:
    policy = make_policy(f"query.mode={setting}", "query.plus=report")
    steps = steps_of(b"/restapi?a=|&to=+16505550100", policy=policy)
    findings = [text for stage, _, text in steps if stage == "query"]
    assert len(findings) == 2
    assert findings[0].startswith(f"{done}parameter 'a', byte 2: '|'")
    assert findings[1].startswith("reported: parameter 'to', byte 7: '+'")


def test_the_longest_prefix_is_the_reason() -> None:
    policy = make_policy('upstreams.platform.routes=["/restapi", "/restapi/v1.0"]')
    assert ("route", "platform", "it owns /restapi/v1.0") in steps_of(
        b"/restapi/v1.0/account", policy=policy
    )


def test_without_a_credential_of_ours_nothing_is_reserved() -> None:
    policy = make_policy(
        "upstreams.platform.credential=none",
        "upstreams.media.credential=none",
        "credentials.none.grant=none",
    )
    assert steps_of(b"/restapi/oauth/token", policy=policy)[-2] == (
        *("permit", ""),
        "nothing is reserved: the credential is not the gateway's",
    )


def test_what_is_answered_here_is_not_routed() -> None:
    raw = RawHead(b"OPTIONS", b"/x", b"HTTP/1.1", ((b"Host", b"localhost"),))
    assert walk(raw, make_policy(), is_answered_here=True) == [
        Step("framing", "no body"),
        Step("caller", "local"),
    ]


def test_a_reason_that_no_stage_gives_is_the_heads() -> None:
    fields = ((b"Host", b"a"), (b"Host", b"b"))
    raw = RawHead(b"GET", b"/restapi?a=|", b"HTTP/1.1", fields)
    assert walk_to(raw, make_policy(), BadRequest("Host is repeated")) == ([], "head")


def test_links_that_are_not_rewritten_are_not_told_of_or_why_they_stay() -> None:
    off = steps_of(b"/scim/x", method=b"GET", policy=make_policy("links.rewrite=off"))
    assert off[-1][0] == "permit"
    raw = RawHead(b"GET", b"/scim/x", b"HTTP/1.0", (), Listener(8080, True))
    *_, step = walk(raw, make_policy(), is_answered_here=False)
    assert (step.stage, step.text.partition(":")[0]) == ("links", "stay")
    named = make_policy("links.public_origin=https://rc.corp.example")
    *_, step = walk(raw, named, is_answered_here=False)
    assert step.text == "those of upstreams become https://rc.corp.example in the answer"
