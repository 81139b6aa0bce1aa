"""Upstreams behind a corporate proxy: TLS runs inside the tunnel, whatever stands before it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from tests.e2e.test_upstreams_tls import AUTHORITY, context_of
from tests.middlebox import OPENED, answering_connect, connecting
from tests.wire import OK, PATH, Peer, Running, Script, answering, request, running, scripted

ORIGIN = "https://api.example"
BODY = b"b" * 1_000_000
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + BODY


@asynccontextmanager
async def behind(
    proxy: Script,
    *sets: str,
    environ: dict[str, str] | None = None,
    grant: str = "static",
) -> AsyncIterator[Running]:
    """Run a gateway whose upstream is reached by a proxy only."""
    async with scripted(proxy) as box:
        named = f'upstreams.platform.proxy="http://127.0.0.1:{box.port}"'
        if environ is not None:
            named = 'upstreams.platform.proxy=""'
            environ = {name: text.format(port=box.port) for name, text in environ.items()}
        async with running(ORIGIN, named, *sets, environ=environ, grant=grant) as gateway:
            yield gateway


@asynccontextmanager
async def tunnelled(
    folder: Path,
    seen: list[bytes],
    *sets: str,
    opened: bytes = OPENED,
    authority: trustme.CA = AUTHORITY,
    environ: dict[str, str] | None = None,
    answers: tuple[bytes, ...] = (OK, REPLY),
    asked: list[tuple[bytes, bytes]] | None = None,
) -> AsyncIterator[Running]:
    """Run a gateway, a proxy that opens the way, and a TLS upstream named api.example."""
    ca_file = folder / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(ca_file))
    tls = context_of("api.example", authority=authority)
    async with scripted(answering(*answers, seen=asked), tls) as upstream:
        proxy = connecting(upstream.port, seen, opened)
        sets = (f'upstreams.platform.ca_file="{ca_file}"', *sets)
        async with behind(proxy, *sets, environ=environ) as gateway:
            yield gateway


async def refused(gateway: Running, status: int, code: str) -> tuple[str, bytes]:
    """Return the message of the refusal, and its head."""
    answer, head, body = await gateway.ask(request())
    assert answer == status
    assert b"X-Gateway-Error: " + code.encode() in head
    message = json.loads(body)["message"]
    assert isinstance(message, str)
    return message, head


async def test_a_program_whose_proxy_we_are_never_leaves_us_by_a_link(tmp_path: Path) -> None:
    link = f'{{"uri":"{ORIGIN}{PATH}"}}'.encode()
    near = link.replace(b"https:", b"http:")
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    asked: list[tuple[bytes, bytes]] = []
    reply = answer % len(link) + link
    async with tunnelled(tmp_path, [], answers=(reply,), asked=asked) as gateway:
        line = f"POST http://api.example{PATH} HTTP/1.1"
        for _ in range(3):
            fields = ("Content-Type: application/json",)
            ask = request(line, *fields, body=near, host="api.example")
            assert (await gateway.ask(ask))[2] == near
    assert [body for _, body in asked] == [link] * 3


async def test_requests_go_through_one_tunnel_with_tls_inside(tmp_path: Path) -> None:
    seen: list[bytes] = []
    async with tunnelled(tmp_path, seen) as gateway:
        peer = await gateway.dial()
        for expected in (b"ok", BODY, BODY):
            await peer.send(request(f"PUT {PATH} HTTP/1.1", body=BODY))
            assert (await peer.read_answer())[2] == expected
        peer.close()
    assert seen == [b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n"]


async def test_the_environment_names_the_proxy_and_its_credentials(tmp_path: Path) -> None:
    seen: list[bytes] = []
    environ = {"HTTPS_PROXY": "http://user:s3cr%3At@127.0.0.1:{port}/"}
    async with tunnelled(tmp_path, seen, environ=environ) as gateway:
        assert (await gateway.ask(request()))[0] == 200
    # "user:s3cr:t"
    assert b"\r\nProxy-Authorization: Basic dXNlcjpzM2NyOnQ=\r\n" in seen[0]


async def test_credentials_are_read_anew_for_each_connection(tmp_path: Path) -> None:
    seen: list[bytes] = []
    secret = tmp_path / "proxy"
    secret.write_text("user:one\n")
    denied = b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n"
    sets = f'upstreams.platform.proxy_auth="file:{secret}"'
    async with behind(answering_connect(denied, seen), sets) as gateway:
        message, _ = await refused(gateway, 502, "upstream-unreachable")
        assert "answered 407: it does not take the credentials" in message
        secret.write_text("user:two\n")
        await refused(gateway, 502, "upstream-unreachable")
        secret.unlink()
        message, head = await refused(gateway, 502, "upstream-unreachable")
    assert "the credentials for the proxy of https://api.example cannot be read" in message
    assert b"error=proxy_configuration_error" in head
    assert [head.rpartition(b"Basic ")[2] for head in seen] == [
        b"dXNlcjpvbmU=\r\n\r\n",
        b"dXNlcjp0d28=\r\n\r\n",
    ]


async def test_a_refusal_names_the_proxy_and_what_to_set() -> None:
    denied = b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n"
    async with behind(answering_connect(denied)) as gateway:
        message, head = await refused(gateway, 502, "upstream-unreachable")
    assert message.startswith("the proxy 127.0.0.1:")
    assert message.endswith(
        " answered 407: it wants credentials; set proxy_auth in the upstream's table"
    )
    assert b"Proxy-Status: rc-gateway; error=proxy_configuration_error" in head


async def test_a_proxy_that_does_not_answer_times_out_and_is_named() -> None:
    async def silent(peer: Peer) -> None:
        await peer.read_to_end()

    async with behind(silent, "timeouts.connect_s=0.2") as gateway:
        message, _ = await refused(gateway, 504, "upstream-timeout")
    assert message.startswith("no connection to https://api.example through the proxy 127.0.0.1:")


async def test_a_proxy_that_is_not_there_is_named() -> None:
    async with scripted(answering(OK)) as gone:
        port = gone.port
    named = f'upstreams.platform.proxy="http://127.0.0.1:{port}"'
    async with running(ORIGIN, named) as gateway:
        message, _ = await refused(gateway, 502, "upstream-unreachable")
    assert message == f"the proxy 127.0.0.1:{port} refuses connections"


async def test_a_proxy_that_resets_the_connection_is_named() -> None:
    async def reset(peer: Peer) -> None:
        await peer.read_head()
        peer.reset()

    async with behind(reset) as gateway:
        message, _ = await refused(gateway, 502, "upstream-unreachable")
    assert " through the proxy 127.0.0.1:" in message


async def test_tls_inside_the_tunnel_is_verified_by_the_upstreams_name(tmp_path: Path) -> None:
    async with tunnelled(tmp_path, [], authority=trustme.CA()) as gateway:
        message, _ = await refused(gateway, 502, "upstream-unreachable")
    assert message.startswith("the certificate of https://api.example is not trusted")


async def test_bytes_behind_the_proxys_head_are_refused(tmp_path: Path) -> None:
    async with tunnelled(tmp_path, [], opened=OPENED + b"x") as gateway:
        message, _ = await refused(gateway, 502, "upstream-unreachable")
    assert "spoke into the connection" in message


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY"])
async def test_this_machine_is_reached_without_a_proxy(name: str) -> None:
    async with scripted(answering(OK)) as upstream:
        environ = {name: "http://127.0.0.1:1"}
        async with running(upstream.origin, environ=environ) as gateway:
            assert (await gateway.ask(request()))[0] == 200
