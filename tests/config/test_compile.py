"""Compiling: every setting that decides arrives where it decides."""

import pytest

from gateway.config.compile import compile_policy, count_workers, enabled_credentials
from gateway.core.message import Listener, RawHead
from gateway.core.query import Mode, Profile
from gateway.core.target import Authority
from gateway.errors import NoRoute, NotPermitted
from gateway.pipeline import Policy, decide
from gateway.policy.forward import Plan
from gateway.policy.routes import Scheme
from tests.config.loading import config_of

EVERYTHING = (
    "upstreams.ringcx={}",
    "upstreams.engage_legacy={origin='https://portal.vacd.biz', credential='ringcentral'}",
    "upstreams.engage_digital={origin='http://[::1]:9', credential='ringcentral'}",
)
HERE = Listener(port=8080, loopback=True)


def plan_of(policy: Policy, target: str) -> Plan:
    fields = ((b"Host", b"127.0.0.1:8080"),)
    plan = decide(RawHead(b"GET", target.encode(), b"HTTP/1.1", fields, HERE), policy, 0.0)
    assert isinstance(plan, Plan)
    return plan


def test_a_tunnel_is_its_upstreams_own() -> None:
    policy = compile_policy(config_of("upstreams.platform.tunnel=query"))
    raw = RawHead(b"DELETE", b"/restapi/v1.0/x", b"HTTP/1.0", ())
    plan = decide(raw, policy, 0.0)
    assert isinstance(plan, Plan)
    assert plan.outbound.target == b"/restapi/v1.0/x?_method=DELETE"


def test_the_rules_are_those_configured() -> None:
    policy = compile_policy(
        config_of(
            *("query.profile=rfc1738", "query.mode=repair", "query.plus=off"),
            *("tunnel.accept=['query']", "limits.max_head_bytes=1000"),
            *("limits.max_target_bytes=100", "limits.max_body_bytes=70000"),
            *("timeouts.first_byte_s=2.5", "user_agent.product=Acme/1", "user_agent.comment=x"),
        )
    )
    rules = policy.rules
    assert (rules.query.profile, rules.query.mode, rules.query.plus) == (
        *(Profile.RFC1738, Mode.REPAIR),
        Mode.OFF,
    )
    assert rules.tunnel_accept == {"query"}
    assert (rules.max_head_bytes, rules.max_target_bytes, rules.max_body_bytes) == (
        *(1000, 100),
        70000,
    )
    assert policy.first_byte_s == 2.5
    assert policy.forward.user_agent == b"Acme/1 (x)"


@pytest.mark.parametrize(
    ("target", "upstream", "authority", "scheme"),
    [
        ("/restapi/v1.0", "platform", b"platform.ringcentral.com", Scheme.BEARER),
        ("/cx/social-messaging/v1", "platform", b"platform.ringcentral.com", Scheme.BEARER),
        ("/media/restapi/v1.0", "media", b"media.ringcentral.com", Scheme.BEARER),
        ("/voice/api/v1", "ringcx", b"ringcx.ringcentral.com", Scheme.BEARER),
        ("/cx/x", "ringcx", b"ringcx.ringcentral.com", Scheme.BEARER),
        ("/api/v1/x", "engage_legacy", b"portal.vacd.biz", Scheme.X_AUTH_TOKEN),
        ("/1.0/x", "engage_digital", b"[::1]:9", Scheme.BEARER),
    ],
)
def test_each_upstream_gets_its_paths_and_its_scheme(
    target: str, upstream: str, authority: bytes, scheme: Scheme
) -> None:
    plan = plan_of(compile_policy(config_of(*EVERYTHING)), target)
    assert plan.upstream.name == upstream
    assert plan.upstream.origin.authority == authority
    assert plan.upstream.scheme is scheme
    assert plan.upstream.credential == ("ringcx" if upstream == "ringcx" else "ringcentral")


@pytest.mark.parametrize(
    ("target", "name"),
    [("/voice/api/v1", "ringcx"), ("/api/v1/x", "engage_legacy"), ("/1.0", "engage_digital")],
)
def test_an_upstream_that_is_not_mentioned_is_off_and_told_of(target: str, name: str) -> None:
    with pytest.raises(NoRoute) as caught:
        plan_of(compile_policy(config_of()), target)
    assert caught.value.message == (
        f"no enabled upstream owns '{target}'; {name} would; "
        f"it is on when the configuration has [upstreams.{name}]"
    )


def test_an_upstream_that_is_on_is_not_told_of() -> None:
    policy = compile_policy(config_of(*EVERYTHING, "upstreams.ringcx.routes=['/mine']"))
    with pytest.raises(NoRoute, match=r"owns '/voice/api/v1'$"):
        plan_of(policy, "/voice/api/v1")


def test_routes_replace_those_of_the_preset() -> None:
    policy = compile_policy(config_of("upstreams.platform.routes=['/mine']"))
    assert plan_of(policy, "/mine/x").upstream.name == "platform"
    with pytest.raises(NoRoute, match="no enabled upstream owns"):
        plan_of(policy, "/restapi/v1.0")


@pytest.mark.parametrize(
    ("grant", "scheme"), [("passthrough", Scheme.PASSTHROUGH), ("none", Scheme.NONE)]
)
def test_a_grant_of_nothing_of_ours_is_its_own_scheme(grant: str, scheme: Scheme) -> None:
    sets = (f"credentials.open.grant={grant}", "upstreams.media.credential=open")
    policy = compile_policy(config_of(*sets))
    assert plan_of(policy, "/media/restapi/v1.0").upstream.scheme is scheme
    assert plan_of(policy, "/restapi/v1.0").upstream.scheme is Scheme.BEARER


def test_our_own_names_are_the_hosts_and_the_bound_addresses() -> None:
    config = config_of(
        "listener.anyone=true",
        "listener.hosts=['RC.corp.example', 'rc.corp.example:8443']",
        "listener.bind=['10.0.0.1:80', '[2001:DB8::1]:80', '0.0.0.0:81', '[::]:81', 'unix:/a']",
    )
    assert compile_policy(config).callers.hosts == {
        Authority(b"rc.corp.example"),
        Authority(b"rc.corp.example", 8443),
        Authority(b"10.0.0.1", 80),
        Authority(b"[2001:db8::1]", 80),
    }


def test_only_credentials_that_are_used_are_enabled() -> None:
    config = config_of(
        "credentials.spare.grant=none",
        "credentials.media.grant=none",
        "upstreams.media.credential=media",
    )
    assert sorted(enabled_credentials(config)) == ["media", "ringcentral"]


def test_links_are_rewritten_unless_that_is_switched_off() -> None:
    assert compile_policy(config_of()).forward.links is not None
    assert compile_policy(config_of("links.rewrite=off")).forward.links is None


@pytest.mark.parametrize(("workers", "count"), [("1", 1), ("3", 3), ("auto", 8)])
def test_workers_are_counted_by_cpus_when_they_are_auto(workers: str, count: int) -> None:
    assert count_workers(config_of(f"engine.workers={workers}"), 8) == count


def test_there_is_always_one_worker() -> None:
    assert count_workers(config_of("engine.workers=auto"), 0) == 1


@pytest.mark.parametrize("allowed", [False, True])
def test_what_rails_could_read_as_a_token_or_another_user_is_refused(allowed: bool) -> None:
    may = f"upstreams.engage_digital.allow_impersonation={str(allowed).lower()}"
    policy = compile_policy(config_of(*EVERYTHING, may))
    for name, passes in (("impersonated_user_id", allowed), ("access_token", False)):
        plain = plan_of(policy, f"/1.0/roles?{name}=7&a=1").outbound.target
        assert plain == b"/1.0/roles?" + (f"{name}=7&".encode() if passes else b"") + b"a=1"
        for disguise in (f"a=1;{name}=7", f"{name}[]=7"):
            target = f"/1.0/roles?{disguise}"
            if passes:
                assert plan_of(policy, target).outbound.target == target.encode()
            else:
                with pytest.raises(NotPermitted, match=name):
                    plan_of(policy, target)
        # No other upstream is known to read names so.
        assert plan_of(policy, f"/restapi/v1.0?a=1;{name}=7").upstream.name == "platform"
