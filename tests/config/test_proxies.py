"""gateway/config/proxies.py."""

import pytest

from gateway.config.proxies import ProxyRoute, proxy_of
from gateway.config.secrets import Unresolved
from gateway.config.upstreams import UpstreamConfig
from gateway.core.secret import Secret
from gateway.policy.routes import Origin
from tests.config.loading import config_of, problems_of

API = Origin("https", "api.example", 443)
HERE = Origin("http", "127.0.0.1", 9080)
CORP = {"HTTPS_PROXY": "http://env.corp:3128", "NO_PROXY": ".internal"}


def upstream_of(proxy: str = "", auth: str = "") -> UpstreamConfig:
    given = {"proxy_auth": auth} if auth else {}
    return UpstreamConfig.model_validate({"proxy": proxy, **given})


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, ""),
        (CORP, "env.corp"),
        (CORP | {"https_proxy": "http://lower.corp:1"}, "lower.corp"),
        (CORP | {"https_proxy": ""}, ""),
        (CORP | {"no_proxy": "api.example"}, ""),
        (CORP | {"NO_PROXY": "api.example:8443"}, "env.corp"),
        ({"HTTP_PROXY": "http://plain.corp:3128", "ALL_PROXY": "http://all.corp:3128"}, ""),
    ],
)
def test_the_environment_speaks_where_the_configuration_does_not(
    environ: dict[str, str], host: str
) -> None:
    route = proxy_of(API, upstream_of(), environ)
    assert (route.host if route else "") == host


def test_the_configuration_is_obeyed_whatever_the_environment_says() -> None:
    environ = CORP | {"NO_PROXY": "*"}
    route = proxy_of(API, upstream_of("http://proxy.corp:3128"), environ)
    assert route == ProxyRoute("proxy.corp", 3128)
    assert str(route) == "the proxy proxy.corp:3128"


@pytest.mark.parametrize("proxy", ["", "http://proxy.corp:3128"])
def test_this_machine_is_reached_directly(proxy: str) -> None:
    assert proxy_of(HERE, upstream_of(proxy), CORP) is None


def test_credentials_come_from_the_reference_else_from_the_environments_url() -> None:
    environ = {"HTTPS_PROXY": "http://a:one@env.corp:3128", "AUTH": "b:two"}
    assert proxy_of(API, upstream_of(), environ) == ProxyRoute("env.corp", 3128, Secret(b"a:one"))
    route = proxy_of(API, upstream_of(auth="env:AUTH"), environ)
    assert route == ProxyRoute("env.corp", 3128, Secret(b"b:two"))
    assert "two" not in f"{route} {route!r}"


@pytest.mark.parametrize(("auth", "says"), [("env:NO", "NO is not set"), ("literal:x", "no colon")])
def test_credentials_that_are_none_are_told_of(auth: str, says: str) -> None:
    with pytest.raises(Unresolved, match=says):
        proxy_of(API, upstream_of("http://proxy.corp:3128", auth), {})


def test_check_tells_of_credentials_that_are_missing() -> None:
    sets = [
        "credentials.ringcentral.token=literal:t",
        "upstreams.platform.proxy=http://proxy.corp:3128",
        "upstreams.platform.proxy_auth=env:PROXY_AUTH",
    ]
    problem = "the environment variable PROXY_AUTH is not set (--set)"
    assert problems_of(sets, resolve=True) == [f"upstreams.platform.proxy_auth: {problem}"]
    assert problems_of(sets, {"PROXY_AUTH": "a:b"}, resolve=True) == []


def test_a_proxy_of_the_environment_matters_only_where_it_is_used() -> None:
    environ = {"HTTPS_PROXY": "socks5://proxy.corp:1080"}
    names = ("platform", "media")
    sets = ["credentials.ringcentral.token=literal:t"]
    assert len(problems_of(sets, environ, resolve=True)) == len(names)
    direct = [f"upstreams.{name}.origin=http://127.0.0.1:1" for name in names]
    assert problems_of([*sets, *direct], environ) == []
    own = [f"upstreams.{name}.proxy=http://proxy.corp:3128" for name in names]
    assert problems_of([*sets, *own], environ) == []
    assert config_of(*own).upstreams["media"].proxy == "http://proxy.corp:3128"
