import ssl

import aiohttp
import pytest
import trustme

from gateway.config.proxies import ProxyRoute
from gateway.config.secrets import Unresolved
from gateway.credentials.endpoint import Budget, Route, TokenEndpoint
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.unreached import failure_of
from gateway.policy.routes import Origin
from gateway.stores.memory import MemoryStore
from tests.free_port import free_port
from tests.wire import Peer, scripted

VENDOR = Origin("https", "api.example", 443)
# What no system can resolve: RFC 1035 has no empty label.
NAMELESS = "a..example"


async def reason_of(origin: Origin, proxy: ProxyRoute | None = None) -> str:
    """Return why a token call to an origin is unreachable."""
    route = Route(origin, b"x/1", ssl.create_default_context(), find_proxy=lambda: proxy)
    endpoint = TokenEndpoint(route, Budget("auth", 100, 60.0), MemoryStore())
    with pytest.raises(TokenCallFailed) as failed:
        await endpoint.post("/restapi/oauth/token", {})
    await endpoint.close()
    assert failed.value.outcome is Outcome.UNREACHABLE
    assert failed.value.__cause__ is None
    return failed.value.reason


async def hang_up(peer: Peer) -> None:
    await peer.reader.read(1)


async def greet(peer: Peer) -> None:
    await peer.send(b"SSH-2.0-x\r\n\r\n")
    await peer.read_to_end()


async def test_who_refuses_the_connection_is_named() -> None:
    port = free_port()
    origin, proxy = Origin("https", "127.0.0.1", port), ProxyRoute("127.0.0.1", port)
    assert await reason_of(origin) == f"https://127.0.0.1:{port} refuses connections"
    assert await reason_of(VENDOR, proxy) == f"the proxy 127.0.0.1:{port} refuses connections"


async def test_a_name_that_cannot_be_asked_for_is_one_that_cannot_be_resolved() -> None:
    told = f"the name {NAMELESS} cannot be resolved"
    assert await reason_of(Origin("https", NAMELESS, 443)) == told
    assert await reason_of(VENDOR, ProxyRoute(NAMELESS, 3128)) == told


async def test_a_certificate_that_is_not_trusted_is_told_with_the_reason() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with scripted(hang_up, tls) as box:
        reason = await reason_of(Origin("https", "127.0.0.1", box.port))
    assert reason.startswith(f"the certificate of https://127.0.0.1:{box.port} is not trusted: ")
    assert "issuer" in reason


async def test_what_speaks_no_tls_or_no_http_is_told_so() -> None:
    async with scripted(greet) as box:
        at, proxy = f"127.0.0.1:{box.port}", ProxyRoute("127.0.0.1", box.port)
        over_tls = await reason_of(Origin("https", "127.0.0.1", box.port))
        plain = await reason_of(Origin("http", "127.0.0.1", box.port))
        tunnelled = await reason_of(VENDOR, proxy)
    assert over_tls == f"TLS with https://{at} failed: WRONG_VERSION_NUMBER"
    assert plain == f"http://{at} answered what is not HTTP"
    assert tunnelled == f"https://api.example through the proxy {at} answered what is not HTTP"


async def test_who_hangs_up_is_told_with_when() -> None:
    async with scripted(hang_up) as box:
        at = f"127.0.0.1:{box.port}"
        over_tls = await reason_of(Origin("https", "127.0.0.1", box.port))
        plain = await reason_of(Origin("http", "127.0.0.1", box.port))
    assert over_tls == f"https://{at} closed the connection while TLS was set up"
    assert plain == f"http://{at} closed the connection before the end of its answer"


async def test_an_address_of_ipv6_is_called_by_its_own_form() -> None:
    heads: list[bytes] = []

    async def note(peer: Peer) -> None:
        heads.append(await peer.read_head())
        await peer.send(b"HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n")

    async with scripted(note) as box:
        proxy = ProxyRoute("127.0.0.1", box.port)
        reason = await reason_of(Origin("https", "[2001:db8::1]", 443), proxy)
    assert reason == f"{proxy} answered 403"
    assert heads[0].startswith(b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n")


def test_what_the_system_says_is_told_in_its_words() -> None:
    key = aiohttp.client_reqrep.ConnectionKey("api.example", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorError(key, OSError(113, "what else it says"))
    failure = failure_of(error, VENDOR, None)
    assert failure.reason == "no connection to https://api.example: No route to host"


def test_several_addresses_that_fail_for_several_reasons_are_told_as_that() -> None:
    key = aiohttp.client_reqrep.ConnectionKey("api.example", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorError(key, OSError("Multiple exceptions: [Errno 111], ..."))
    failure = failure_of(error, VENDOR, None)
    assert failure.reason == "no connection to https://api.example by any of its addresses"


def test_credentials_of_a_proxy_that_cannot_be_read_are_told_as_theirs() -> None:
    failure = failure_of(Unresolved("file /x does not exist"), VENDOR, None)
    assert failure.outcome is Outcome.UNREACHABLE
    assert failure.reason == "proxy_auth: file /x does not exist"


def test_who_does_not_answer_is_named_with_the_proxy() -> None:
    failure = failure_of(TimeoutError(), VENDOR, ProxyRoute("proxy.example", 3128))
    assert failure.outcome is Outcome.TIMEOUT
    told = "https://api.example through the proxy proxy.example:3128 did not answer"
    assert failure.reason == told
