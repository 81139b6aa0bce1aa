"""gateway/engine/proxy_tunnel.py, against proxies that speak scripted bytes."""

import asyncio
import socket
from base64 import b64encode
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.proxies import ProxyRoute
from gateway.core.secret import Secret
from gateway.engine.proxy_tunnel import open_tunnel, render_connect
from gateway.errors import UpstreamUnreachable
from gateway.policy.routes import Origin
from tests.middlebox import OPENED, answering_connect
from tests.wire import Peer, Script, scripted

ORIGIN = Origin("https", "api.example", 443)
PASSWORD = b"user:s3cr3t"


async def tunnel_to(script: Script, auth: bytes = b"") -> None:
    """Open a tunnel through a proxy that plays `script`."""
    loop = asyncio.get_running_loop()
    async with scripted(script) as proxy:
        route = ProxyRoute("127.0.0.1", proxy.port, Secret(auth) if auth else None)
        with closing(socket.socket()) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", proxy.port))
            async with asyncio.timeout(20):
                await open_tunnel(loop, sock, route, ORIGIN)


async def refusal(reply: bytes, auth: bytes = b"") -> UpstreamUnreachable:
    with pytest.raises(UpstreamUnreachable) as caught:
        await tunnel_to(answering_connect(reply), auth)
    error = caught.value
    assert (error.status, error.code, error.sent) == (502, "upstream-unreachable", False)
    assert error.message.startswith("the proxy 127.0.0.1:")
    assert "s3cr3t" not in error.message
    return error


def test_a_tunnel_is_asked_for_by_host_and_port() -> None:
    assert render_connect(ProxyRoute("proxy.corp", 3128), ORIGIN) == (
        b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n"
    )


def test_credentials_are_sent_to_the_proxy_as_basic() -> None:
    head = render_connect(ProxyRoute("proxy.corp", 3128, Secret(PASSWORD)), ORIGIN)
    assert b"\r\nProxy-Authorization: Basic " + b64encode(PASSWORD) + b"\r\n" in head


@pytest.mark.parametrize(
    "reply",
    [
        OPENED,
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 204 x\r\nVia: 1.1 squid\r\n\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n" + OPENED,
        # RFC 9110 section 9.3.6: a length in a 2xx to CONNECT is to be ignored.
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    ],
)
async def test_a_2xx_opens_the_tunnel(reply: bytes) -> None:
    await tunnel_to(answering_connect(reply))


async def test_a_reply_in_single_bytes_is_a_reply() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        for byte in OPENED:
            await peer.send(bytes([byte]))
        await peer.read_to_end()

    await tunnel_to(script)


@pytest.mark.parametrize(
    ("status", "says", "kind"),
    [
        (407, "it wants credentials; set proxy_auth", "proxy_configuration_error"),
        (403, "it does not let us reach https://api.example", "http_request_denied"),
        (301, "it does not let us reach https://api.example", "http_request_denied"),
        (503, "it could not reach https://api.example", "destination_unavailable"),
    ],
)
async def test_a_refusal_names_the_proxy_and_its_status(status: int, says: str, kind: str) -> None:
    error = await refusal(b"HTTP/1.1 %d No\r\nContent-Length: 3\r\n\r\nno!" % status)
    assert f" answered {status}: " in error.message
    assert says in error.message
    assert error.proxy_error == kind


async def test_credentials_that_are_not_taken_are_not_shown() -> None:
    error = await refusal(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", PASSWORD)
    assert "it does not take the credentials" in error.message


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"SSH-2.0-x\r\n", "did not answer as an HTTP/1.1 proxy"),
        (b"HTTP/1.1 200 OK\n\n", "did not answer as an HTTP/1.1 proxy"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70000, "did not answer as an HTTP/1.1 proxy"),
        (b"HTTP/1.1 101 x\r\n\r\n", "did not answer as an HTTP/1.1 proxy"),
        (OPENED + b"\x15\x03", "spoke into the connection to https://api.example"),
    ],
)
async def test_what_is_no_reply_is_refused(reply: bytes, says: str) -> None:
    error = await refusal(reply)
    assert says in error.message
    assert error.proxy_error == "http_protocol_error"


async def test_a_proxy_that_hangs_up_is_named() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()

    with pytest.raises(UpstreamUnreachable, match="closed the connection without an answer"):
        await tunnel_to(script)


@given(st.text("abc:%@/ ", min_size=1), st.sampled_from(["a.example", "[::1]"]))
def test_a_request_is_one_head_whatever_the_credentials(auth: str, host: str) -> None:
    route = ProxyRoute("p", 1, Secret(auth.encode()))
    head = render_connect(route, Origin("https", host, 8443))
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n") == 4
    assert head.startswith(f"CONNECT {host}:8443 HTTP/1.1\r\nHost: {host}:8443\r\n".encode())
