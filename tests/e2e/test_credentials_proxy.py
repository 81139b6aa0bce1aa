"""Token calls go the way that requests go: through the proxy, by the upstream's authority."""

import json
from pathlib import Path

import pytest

from gateway.config.proxies import ProxyRoute
from gateway.core.secret import Secret
from gateway.credentials.endpoint import Budget, Route, TokenEndpoint
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.engine.tls import TlsContexts
from gateway.policy.routes import Origin
from gateway.stores.memory import MemoryStore
from tests.e2e.test_upstreams_proxy import behind
from tests.e2e.test_upstreams_tls import AUTHORITY, context_of
from tests.middlebox import answering_connect, connecting
from tests.wire import Peer, request, scripted

JWT = ("client_id=literal:id", "jwt=literal:j.w.t")
SETS = tuple(f"credentials.ringcentral.{one}" for one in JWT)


async def serve(peer: Peer) -> None:
    """Answer a token call with a token, and what carries it with what was seen."""
    while True:
        head, _ = await peer.read_request()
        document = {"access_token": "tunnelled", "expires_in": 3600}
        body = json.dumps(document).encode() if b"/oauth/token" in head else head
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def test_a_token_is_had_through_the_proxy_that_requests_go_through(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(ca_file))
    seen: list[bytes] = []
    sets = (
        *SETS,
        f'upstreams.platform.ca_file="{ca_file}"',
        'upstreams.platform.proxy_auth="literal:user:s3cr3t"',
    )
    async with (
        scripted(serve, context_of("api.example")) as upstream,
        behind(connecting(upstream.port, seen), *sets, grant="jwt") as gateway,
    ):
        status, _, body = await gateway.ask(request())
    assert status == 200
    assert b"Authorization: Bearer tunnelled" in body
    # One tunnel for the token call, one for the request, both with the credentials.
    assert [head.split(b"\r\n")[0] for head in seen] == [b"CONNECT api.example:443 HTTP/1.1"] * 2
    assert all(b"Proxy-Authorization: Basic dXNlcjpzM2NyM3Q=" in head for head in seen)


def endpoint_behind(port: int) -> TokenEndpoint:
    proxy = ProxyRoute("127.0.0.1", port, Secret(b"user:s3cr3t"))
    route = Route(
        Origin("https", "api.example", 443),
        b"x/1",
        TlsContexts().find(None),
        find_proxy=lambda: proxy,
    )
    return TokenEndpoint(route, Budget("auth", 100, 60.0), MemoryStore())


async def test_a_proxy_that_refuses_is_named_with_its_answer() -> None:
    async with scripted(answering_connect(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n")) as box:
        endpoint = endpoint_behind(box.port)
        with pytest.raises(TokenCallFailed) as failed:
            await endpoint.post("/restapi/oauth/token", {})
        await endpoint.close()
    assert failed.value.outcome is Outcome.UNREACHABLE
    assert failed.value.reason == f"the proxy 127.0.0.1:{box.port} answered 407"


async def test_a_callers_request_learns_that_the_proxy_stands_in_the_way() -> None:
    denied = b"HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n"
    async with behind(answering_connect(denied), *SETS, grant="jwt") as gateway:
        status, _, body = await gateway.ask(request())
    assert status == 503
    assert "answered 403" in json.loads(body)["message"]
