"""gateway/policy/forward.py: credentials of the caller, dropped, or passed through unseen."""

import pytest

from gateway.core.secret import MASK, Secret
from gateway.policy.routes import Scheme
from tests.policy.world import plan_of

PATH = "/restapi/v1.0/account/~"
CREDENTIALS = "Authorization: Bearer hush\nX-Auth-Token: hush\nCookie: a=hush\nauthorization: hush"


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("?access_token=t", None),
        ("?access_token", None),
        ("?access_token=", None),
        ("?a=1&access_token=t&b=2", b"a=1&b=2"),
        ("?access_token=t&access_token=u&a", b"a"),
        ("?%61ccess_token=t&a=1", b"a=1"),
        ("?a=1&access%5Ftoken=t", b"a=1"),
        ("?%61%63%63%65%73%73%5f%74%6f%6b%65%6e=t", None),
        ("?a=access_token&b=access_token=t", b"a=access_token&b=access_token=t"),
        (
            "?Access_Token=t&access-token=t&xaccess_token=t",
            b"Access_Token=t&access-token=t&xaccess_token=t",
        ),
        ("?%2561ccess_token=t", b"%2561ccess_token=t"),
        ("?a=%20&&access_token=t&=x", b"a=%20&&=x"),
        ("?", b""),
        ("", None),
    ],
)
@pytest.mark.parametrize("scheme", Scheme)
def test_only_the_pair_access_token_is_cut_in_each_of_its_spellings(
    query: str, left: bytes | None, scheme: Scheme
) -> None:
    outbound = plan_of("GET", PATH + query, scheme=scheme).outbound
    if scheme is Scheme.PASSTHROUGH:
        assert outbound.target == (PATH + query).encode()
    else:
        assert outbound.query == left
        assert outbound.target == PATH.encode() + (b"" if left is None else b"?" + left)


@pytest.mark.parametrize("scheme", [Scheme.BEARER, Scheme.X_AUTH_TOKEN, Scheme.NONE])
def test_credentials_of_the_caller_do_not_leave(scheme: Scheme) -> None:
    plan = plan_of("GET", PATH + "?access_token=hush", CREDENTIALS, scheme=scheme)
    assert plan.outbound.fields[1:-3] == ()
    assert b"hush" not in plan.outbound.render()


def test_credentials_pass_through_as_they_were_sent() -> None:
    plan = plan_of("GET", PATH + "?access_token=hush", CREDENTIALS, scheme=Scheme.PASSTHROUGH)
    assert plan.outbound.fields[1:-3] == (
        (b"Authorization", Secret(b"Bearer hush")),
        (b"X-Auth-Token", Secret(b"hush")),
        (b"Cookie", Secret(b"a=hush")),
        (b"authorization", Secret(b"hush")),
    )
    assert plan.outbound.render().startswith(
        b"GET /restapi/v1.0/account/~?access_token=hush HTTP/1.1\r\n"
        b"Host: platform.ringcentral.com\r\n"
        b"Authorization: Bearer hush\r\n"
    )


@pytest.mark.parametrize("scheme", Scheme)
def test_a_plan_that_is_printed_shows_no_secret(scheme: Scheme) -> None:
    plan = plan_of("POST", PATH + "?access_token=hush&a=hush", CREDENTIALS, scheme=scheme)
    for text in (repr(plan), str(plan), f"{plan}", repr(plan.outbound), repr(plan.request)):
        assert "hush" not in text
    assert "hush" not in repr(plan.outbound.fields)
    assert (MASK in repr(plan.outbound.fields)) is (scheme is Scheme.PASSTHROUGH)
    assert PATH not in repr(plan)
