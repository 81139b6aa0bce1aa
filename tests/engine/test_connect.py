import asyncio
import errno
import os
import resource
import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from gateway.config.proxies import ProxyRoute
from gateway.config.secrets import Unresolved
from gateway.core.secret import Secret
from gateway.engine.connect import Connector, failure_of
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import Overloaded, UpstreamTimeout, UpstreamUnreachable
from gateway.policy.routes import Origin
from tests.middlebox import connecting
from tests.wire import OK, answering, scripted

ORIGIN = Origin("https", "api.example", 443)
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "unable to get local issuer certificate"
PROTOCOL = ssl.SSLError(1, "wrong version number")
PROTOCOL.reason = "WRONG_VERSION_NUMBER"


@pytest.mark.parametrize(
    ("error", "text", "kind"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refuses conn", "connection_refused"),
        (OSError(errno.ENETUNREACH, "x"), "Network is unreachable", "destination_unavailable"),
        (OSError(errno.EHOSTUNREACH, "x"), "No route to host", "destination_unavailable"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "reset by peer", "destination_unavailable"),
        (ConnectionResetError(), "while TLS was set up", "connection_terminated"),
        (OSError("Multiple exceptions: 1.2.3.4"), "by any of its", "destination_unavailable"),
        (socket.gaierror(-2, "x"), "api.example cannot be resolved", "dns_error"),
        (UnicodeError("label too long"), "api.example cannot be resolved", "dns_error"),
        (UNTRUSTED, "not trusted: unable to get local issuer", "tls_certificate_error"),
        (PROTOCOL, "failed: WRONG_VERSION_NUMBER", "tls_protocol_error"),
        (ssl.SSLError(), "failed: protocol error", "tls_protocol_error"),
    ],
)
def test_a_failure_to_connect_says_which(
    error: OSError | UnicodeError, text: str, kind: str
) -> None:
    failure = failure_of(error, str(ORIGIN), ORIGIN.host)
    assert isinstance(failure, UpstreamUnreachable)
    assert (failure.status, failure.proxy_error, failure.sent) == (502, kind, False)
    assert text in failure.message
    assert "1.2.3.4" not in failure.message


@pytest.mark.parametrize("error", [TimeoutError(), TimeoutError(errno.ETIMEDOUT, "x")])
def test_a_connection_that_takes_too_long_is_a_timeout(error: TimeoutError) -> None:
    failure = failure_of(error, str(ORIGIN), ORIGIN.host)
    assert isinstance(failure, UpstreamTimeout)
    assert (failure.status, failure.proxy_error) == (504, "connection_timeout")


async def test_a_connection_comes_ready_for_a_request() -> None:
    loop = asyncio.get_running_loop()
    async with scripted(answering(OK)) as upstream:
        connector = Connector(loop, Origin("http", "127.0.0.1", upstream.port), 5)
        connection = await connector.connect(loop.time() + 5)
        assert (connection.is_quiet(), connection.uses) == (True, 0)
        connection.abort()


async def test_all_addresses_of_a_name_are_tried() -> None:
    loop = asyncio.get_running_loop()
    async with scripted(answering(OK)) as upstream:
        # The name often has an IPv6 address first, where nobody listens.
        connector = Connector(loop, Origin("http", "localhost", upstream.port), 5)
        connection = await connector.connect(loop.time() + 5)
        assert connection.is_open
        connection.abort()


async def test_an_ipv6_literal_is_an_address() -> None:
    loop = asyncio.get_running_loop()
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        connector = Connector(loop, Origin("http", "[::1]", probe.getsockname()[1]), 5)
        with pytest.raises(UpstreamUnreachable, match=r"\[::1\]"):
            await connector.connect(loop.time() + 5)


async def test_a_hundred_connections_at_once_make_one_look_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    asked: list[str] = []
    real = loop.getaddrinfo

    async def getaddrinfo(host: str, port: int, **options: int) -> object:
        asked.append(host)
        return await real(host, port, **options)

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    async with scripted(answering(OK)) as upstream:
        connector = Connector(loop, Origin("http", "localhost", upstream.port), 5)
        deadline = loop.time() + 5
        for connection in await asyncio.gather(*[connector.connect(deadline) for _ in range(100)]):
            connection.abort()
    # uvloop asks for the numbers of addresses, too, which is no look-up.
    assert asked.count("localhost") == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_sooner_of_two_limits_holds(scheme: str) -> None:
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0), backlog=1)) as silent:
        port = silent.getsockname()[1]
        connector = Connector(loop, Origin(scheme, "127.0.0.1", port), 0.05)
        if scheme == "https":
            with pytest.raises(UpstreamTimeout, match="in time"):
                await connector.connect(loop.time() + 60)
        with pytest.raises(UpstreamTimeout, match="in time"):
            await Connector(loop, Origin(scheme, "127.0.0.1", port), 60).connect(loop.time() - 1)


async def test_a_cancelled_connection_leaves_nothing_open() -> None:
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.setblocking(False)
        connector = Connector(loop, Origin("https", "127.0.0.1", silent.getsockname()[1]), 60)
        connecting = asyncio.create_task(connector.connect(loop.time() + 60))
        accepted, _ = await loop.sock_accept(silent)
        hello = await loop.sock_recv(accepted, 5)
        assert hello[:2] == b"\x16\x03"
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        while await loop.sock_recv(accepted, 65536):
            pass
        accepted.close()


async def test_a_connection_that_is_cancelled_as_tls_comes_about_leaves_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    loop, made = asyncio.get_running_loop(), UpstreamConnection.connection_made
    numbers: list[int] = []

    def cancel_connect(self: UpstreamConnection, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        numbers.append(transport.get_extra_info("socket").fileno())
        loop.call_soon(task.cancel)

    monkeypatch.setattr(UpstreamConnection, "connection_made", cancel_connect)
    async with scripted(answering(OK), tls=server) as upstream:
        origin = Origin("https", "127.0.0.1", upstream.port)
        connector = Connector(loop, origin, 5.0, tmp_path / "ca.pem")
        task = asyncio.create_task(connector.connect(loop.time() + 5))
        await asyncio.wait((task,))
        assert task.cancelled()
        await asyncio.sleep(0.05)
        # Nobody else's socket is taken for it.
        ends = [end for _ in range(numbers[0]) for end in socket.socketpair()]
        for end in ends:
            end.setblocking(False)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await loop.sock_recv(end, 1)
        for end in ends:
            end.close()


async def test_a_process_that_can_open_no_more_files_says_so_of_itself() -> None:
    loop = asyncio.get_running_loop()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    connector = Connector(loop, Origin("http", "127.0.0.1", 9), 5)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
        with pytest.raises(Overloaded, match="too many open files"):
            await connector.connect(loop.time() + 5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_proxy_is_dialled_instead_of_the_origin_and_asked_for_each_connection() -> None:
    loop = asyncio.get_running_loop()
    seen: list[bytes] = []
    async with (
        scripted(answering(OK)) as upstream,
        scripted(connecting(upstream.port, seen)) as box,
    ):
        secrets = iter((Secret(b"a:1"), Secret(b"a:2")))
        connector = Connector(
            *(loop, Origin("http", "api.example", 80), 5, None),
            lambda: ProxyRoute("127.0.0.1", box.port, next(secrets)),
        )
        for _ in range(2):
            connection = await connector.connect(loop.time() + 5)
            assert connection.is_open
            connection.abort()
    assert [head.partition(b" HTTP")[0] for head in seen] == [b"CONNECT api.example:80"] * 2
    assert seen[0] != seen[1]


async def test_a_proxy_whose_credentials_cannot_be_read_is_not_dialled() -> None:
    def find_proxy() -> ProxyRoute:
        raise Unresolved("file /x does not exist")

    loop = asyncio.get_running_loop()
    connector = Connector(loop, ORIGIN, 5, None, find_proxy)
    with pytest.raises(UpstreamUnreachable, match="file /x does not exist") as caught:
        await connector.connect(loop.time() + 5)
    assert caught.value.proxy_error == "proxy_configuration_error"


async def test_a_cancelled_tunnel_leaves_nothing_open() -> None:
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.setblocking(False)
        route = ProxyRoute("127.0.0.1", silent.getsockname()[1])
        connector = Connector(loop, ORIGIN, 60, None, lambda: route)
        dialling = asyncio.create_task(connector.connect(loop.time() + 60))
        accepted, _ = await loop.sock_accept(silent)
        assert await loop.sock_recv(accepted, 7) == b"CONNECT"
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        while await loop.sock_recv(accepted, 65536):
            pass
        accepted.close()
