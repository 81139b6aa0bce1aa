"""gateway/policy/permits.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotPermitted, Refused
from gateway.policy.callers import LOCAL
from gateway.policy.forward import ACCESS_TOKEN
from gateway.policy.permits import RESERVED, permit, reserved_prefix
from gateway.policy.routes import PASSTHROUGH, Routed, Scheme
from tests.policy.world import DIGITAL, EVERYTHING, policy_of, request_of, vectors_of

CASES = vectors_of("policy_reserved")
OWNED = [scheme for scheme in Scheme if scheme.owned]
OPEN = [scheme for scheme in Scheme if not scheme.owned]


def routed_of(path: str, scheme: Scheme, method: str = "POST") -> Routed:
    return policy_of(scheme=scheme).routes.match(request_of(method, path))


@pytest.mark.parametrize("scheme", OWNED)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["path"])
def test_reserved_paths_are_refused_in_every_disguise(
    case: Mapping[str, Any], scheme: Scheme
) -> None:
    if "elsewhere" in case:
        with pytest.raises(Refused) as caught:
            routed_of(case["path"], scheme)
        assert caught.value.code == case["elsewhere"]
    elif "reserved" in case:
        with pytest.raises(NotPermitted) as refused:
            permit(LOCAL, routed_of(case["path"], scheme))
        assert refused.value.message == (
            f"{case['reserved']} is reserved: this gateway keeps the credential itself"
        )
    else:
        routed = routed_of(case["path"], scheme)
        permitted = permit(LOCAL, routed)
        assert (permitted.caller, permitted.routed) == (LOCAL, routed)


@pytest.mark.parametrize("scheme", OPEN)
@pytest.mark.parametrize(
    "case", [case for case in CASES if "elsewhere" not in case], ids=lambda case: case["path"]
)
def test_nothing_is_reserved_where_the_gateway_owns_no_credential(
    case: Mapping[str, Any], scheme: Scheme
) -> None:
    routed = routed_of(case["path"], scheme)
    assert permit(LOCAL, routed).routed is routed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_reserved_paths_are_refused_for_every_method(method: str) -> None:
    with pytest.raises(NotPermitted, match="/restapi/oauth/token is reserved"):
        permit(LOCAL, routed_of("/restapi/oauth/token", Scheme.BEARER, method))


def test_a_tunnelled_method_does_not_open_a_reserved_path() -> None:
    with pytest.raises(NotPermitted, match="/restapi/oauth/revoke is reserved"):
        permit(LOCAL, routed_of("/restapi/oauth/revoke?_method=PUT", Scheme.BEARER))


@pytest.mark.parametrize("host", ["platform", "media"])
def test_an_upstream_named_in_the_url_does_not_open_a_reserved_path(host: str) -> None:
    target = f"http://{host}.ringcentral.com/restapi/oauth/token"
    with pytest.raises(NotPermitted, match="/restapi/oauth/token is reserved"):
        permit(LOCAL, routed_of(target, Scheme.BEARER))


ACTING = "impersonated_user_id"


def digital_of(query: str, scheme: Scheme = Scheme.BEARER) -> Routed:
    cut = (ACTING.encode(),)
    guarded = (ACCESS_TOKEN, *cut)
    digital = replace(DIGITAL, cut_parameters=cut, guarded_parameters=guarded, scheme=scheme)
    return policy_of([digital]).routes.match(request_of("GET", f"/1.0/contents?{query}"))


@pytest.mark.parametrize(
    "query",
    [
        *(f"a=1;{ACTING}=7", f";{ACTING}=7", f"a;{ACTING}", f"{ACTING}=7&a=1;{ACTING}=7"),
        *(f"[{ACTING}]=7", f"%5B{ACTING}=7", f"{ACTING}]=7", f"]{ACTING}%5D=7"),
        *(f"{ACTING}[]=7", f"{ACTING}[a][b]=7", f"a=1;%5b%69{ACTING[1:]}=7"),
    ],
)
def test_a_parameter_that_rack_would_read_as_another_user_is_refused(query: str) -> None:
    allowing = r" \(upstreams.engage_digital.allow_impersonation\)"
    for name, hint in ((ACTING, allowing), ("access_token", "")):
        asked = query.replace(f"%69{ACTING[1:]}", ACTING).replace(ACTING, name)
        with pytest.raises(NotPermitted, match=f"could be read as {name}; leave it out{hint}$"):
            permit(LOCAL, digital_of(asked))
        own = digital_of(asked, PASSTHROUGH)
        assert permit(LOCAL, own).routed is own
    with pytest.raises(NotPermitted, match=ACTING):
        permit(LOCAL, digital_of(query))


@pytest.mark.parametrize(
    "query",
    [
        *(f"{ACTING}=7", f"{ACTING}=7;a=1", f"a={ACTING}", f"a[{ACTING}]=7", f"x_{ACTING}=7"),
        *(f"{ACTING}s=7", f"a=%3B{ACTING}=7", "category_ids[]=4&to=1&to[]=2", f"a=={ACTING}", "[]"),
    ],
)
def test_what_is_cut_or_has_another_name_is_permitted(query: str) -> None:
    routed = digital_of(query)
    assert permit(LOCAL, routed).routed is routed


def spellings_of(char: str) -> st.SearchStrategy[str]:
    """Spell one character in ways that the reading undoes."""
    escapes = [f"%{ord(c):02{case}}" for c in {char.lower(), char.upper()} for case in "xX"]
    twice = [escape.replace("%", "%25") for escape in escapes]
    separators = ["//", "/;a=b/", ";x/", "%5C", "%255c", "%3B/"] if char == "/" else []
    return st.sampled_from([char, char.upper(), *sorted(escapes), *sorted(twice), *separators])


def prefix_of(path: bytes) -> bytes:
    """Return the routing prefix of a path: there no disguise gets past the routes."""
    prefixes = [prefix for upstream in EVERYTHING for prefix in upstream.prefixes]
    return max((p for p in prefixes if (path + b"/").startswith(p + b"/")), key=len)


@st.composite
def disguises(draw: st.DrawFn) -> tuple[bytes, str]:
    """Spell a reserved path behind its routing prefix, with something at its end."""
    path = draw(st.sampled_from(RESERVED))
    prefix = prefix_of(path)
    rest = path[len(prefix) + 1 :].decode()
    ends = ["/", "//", "/x", "/%2F", "/;x=y"] + ([";", "%3bx=y", "%5Cx"] if rest else [])
    spelled = "".join(draw(spellings_of(char)) for char in rest)
    return path, f"{prefix.decode()}/{spelled}{draw(st.sampled_from(ends))}"


@given(disguises())
def test_no_spelling_of_a_reserved_path_gets_through(disguised: tuple[bytes, str]) -> None:
    path, spelling = disguised
    routed = routed_of(spelling, Scheme.BEARER)
    assert reserved_prefix(routed.reading) == path
    with pytest.raises(NotPermitted, match="is reserved"):
        permit(LOCAL, routed)
