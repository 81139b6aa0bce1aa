"""gateway/policy/forward.py: what leaves otherwise where links are rewritten."""

from typing import cast

import pytest

from gateway.core.headers import Fields, values_of
from gateway.policy.forward import ForwardRules, plan
from gateway.policy.links import LinkRules
from tests.policy.world import (
    PLATFORM,
    USER_AGENT,
    callers_of,
    plan_of,
)


def test_where_links_are_rewritten_less_is_asked_for_and_only_what_was_allowed() -> None:
    callers = callers_of()
    links = LinkRules({"platform": PLATFORM}, callers)
    rules = ForwardRules(USER_AGENT, links=links)
    for lines, narrowed in (
        ("Accept-Encoding: br, gzip", [b"gzip"]),
        ("Accept-Encoding: br", [b"identity"]),
        ("Accept: */*", []),
    ):
        decided = plan_of("POST", "/restapi", lines)
        changed = plan(decided.permitted, rules, 0.0)
        assert values_of(cast(Fields, changed.outbound.fields), b"accept-encoding") == narrowed
        assert changed.links is links.outward(decided.request)
        assert changed.restored is None


@pytest.mark.parametrize(("is_rewritten", "sent"), [(True, b'"a", "b"'), (False, b'W/"a", "b"')])
def test_a_condition_names_the_tag_as_upstream_gave_it(is_rewritten: bool, sent: bytes) -> None:
    links = LinkRules({"platform": PLATFORM}, callers_of()) if is_rewritten else None
    decided = plan_of("PUT", "/restapi", 'If-Match: W/"a", "b"\nIf-None-Match: W/"c"')
    fields = cast(
        Fields, plan(decided.permitted, ForwardRules(USER_AGENT, links=links), 0.0).outbound.fields
    )
    assert values_of(fields, b"if-match") == [sent]
    # That one compares weakly (RFC 9110 section 13.1.2).
    assert values_of(fields, b"if-none-match") == [b'W/"c"']


def test_only_a_body_has_links_to_be_restored() -> None:
    rules = ForwardRules(USER_AGENT, links=LinkRules({"platform": PLATFORM}, callers_of()))
    decided = plan_of("POST", "/restapi", "Content-Length: 5")
    assert plan(decided.permitted, rules, 0.0).restored is not None
    assert decided.links is None
    assert decided.restored is None
