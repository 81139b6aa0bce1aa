"""gateway/config/proxy_url.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.proxy_url import ProxyUrl, check_proxy, parse_proxy
from gateway.core.secret import Secret
from tests.config.loading import reason_of


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy.corp:3128", ProxyUrl("proxy.corp", 3128)),
        ("HTTP://Proxy.Corp:3128/", ProxyUrl("proxy.corp", 3128)),
        ("proxy.corp:3128", ProxyUrl("proxy.corp", 3128)),
        ("http://proxy.corp", ProxyUrl("proxy.corp", 80)),
        ("http://[::1]:3128", ProxyUrl("[::1]", 3128)),
        ("http://u:p%40%3Aq@proxy:1", ProxyUrl("proxy", 1, Secret(b"u:p@:q"))),
        ("http://u:p@q@proxy:1", ProxyUrl("proxy", 1, Secret(b"u:p@q"))),
        ("u@proxy:1", ProxyUrl("proxy", 1, Secret(b"u:"))),
        ("http://\u00fc:p@proxy:1", ProxyUrl("proxy", 1, Secret(b"\xc3\xbc:p"))),
    ],
)
def test_a_proxy_as_environments_have_it(text: str, url: ProxyUrl) -> None:
    assert parse_proxy(text) == url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("https://u:s3cr3t@proxy:3128", "asks for https:// to the proxy"),
        ("socks5h://u:s3cr3t@proxy:1080", "asks for socks5h:// to the proxy"),
        ("http://u:s3cr3t@", "no host name or address"),
        ("http://proxy:s3cr3t", "no host name or address"),
        ("http://pr\u00f6xy:3128", "no host name or address"),
        ("http://proxy:3128/s3cr3t", "is not the URL of a proxy"),
    ],
)
def test_what_is_no_proxy_is_told_without_its_secrets(text: str, says: str) -> None:
    reason = reason_of(parse_proxy, text)
    assert says in reason
    assert 'write "http://host:port"' in reason
    assert "s3cr3t" not in reason


@pytest.mark.parametrize("text", ["", "http://proxy.corp:3128", "http://[::1]:3128"])
def test_what_the_configuration_takes(text: str) -> None:
    assert check_proxy(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://u:s3cr3t@proxy", "carries no user name or password here"),
        ("https://proxy:3128", "TLS to the proxy itself is not supported"),
        ("proxy:3128", "it starts with http://"),
        ("http://", "the value has no host name"),
    ],
)
def test_what_the_configuration_refuses(text: str, says: str) -> None:
    reason = reason_of(check_proxy, text)
    assert says in reason
    assert "s3cr3t" not in reason


@given(st.text())
def test_whatever_the_text_it_is_a_proxy_or_refused(text: str) -> None:
    if not reason_of(parse_proxy, text):
        url = parse_proxy(text)
        assert 0 < url.port < 65536
        assert url.host
