"""Sockets are bound at once, or one clear line says why not."""

import socket
from pathlib import Path

import pytest

from gateway.config.binds import Bind, parse_bind
from gateway.core.message import Listener
from gateway.engine import listen
from gateway.engine.listen import CannotBind, hold_off, listener_of, open_sockets


async def test_a_free_port_is_opened_and_known() -> None:
    (sock,) = await open_sockets(parse_bind("127.0.0.1:0"))
    with sock:
        port = sock.getsockname()[1]
        assert port > 0
        assert listener_of(sock) == Listener(port, loopback=True)
        assert not sock.getblocking()
        socket.create_connection(("127.0.0.1", port)).close()


async def test_an_accepted_connection_is_probed_while_it_is_idle() -> None:
    (sock,) = await open_sockets(parse_bind("127.0.0.1:0"))
    with sock, socket.create_connection(sock.getsockname()):
        sock.setblocking(True)
        accepted, _ = sock.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_a_listener_for_everybody_is_not_loopback() -> None:
    (sock,) = await open_sockets(parse_bind("0.0.0.0:0"))
    with sock:
        assert not listener_of(sock).loopback


@pytest.mark.parametrize(
    ("bind", "reason"),
    [
        ("203.0.113.1:0", "this machine does not have that address"),
        ("no-such-name.invalid:80", "cannot listen on no-such-name.invalid:80: "),
        ("unix:/nowhere/data.sock", "No such file or directory"),
    ],
)
async def test_what_cannot_be_opened_is_named_with_its_reason(bind: str, reason: str) -> None:
    with pytest.raises(CannotBind) as caught:
        await open_sockets(parse_bind(bind))
    assert str(caught.value).startswith(f"cannot listen on {bind}: ")
    assert reason in str(caught.value)


async def test_a_port_in_use_is_told_and_nothing_stays_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CannotBind, match="in use by another process"),
    ):
        await open_sockets(Bind(host="127.0.0.1", port=taken.getsockname()[1]))


@pytest.mark.parametrize("order", [("203.0.113.1", "127.0.0.1"), ("127.0.0.1", "203.0.113.1")])
async def test_an_address_that_is_not_here_does_not_spoil_a_name(
    monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    def addresses(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in order]

    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    (sock,) = await open_sockets(Bind(host="localhost", port=0))
    with sock:
        assert sock.getsockname()[0] == "127.0.0.1"


async def test_a_unix_socket_is_opened_and_never_shared(tmp_path: Path) -> None:
    bind = Bind(path=str(tmp_path / "s"))
    (sock,) = await open_sockets(bind)
    with sock:
        assert listener_of(sock) == Listener()
        with pytest.raises(CannotBind, match="in use by another process"):
            await open_sockets(bind)


async def test_a_file_in_the_way_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("mine", encoding="ascii")
    with pytest.raises(CannotBind, match="a file that is not a socket; remove it or choose"):
        await open_sockets(Bind(path=str(path)))
    assert path.read_text(encoding="ascii") == "mine"


async def test_who_is_held_off_is_not_let_in_and_who_is_in_stays(tmp_path: Path) -> None:
    (sock,) = await open_sockets(parse_bind("127.0.0.1:0"))
    with sock:
        with socket.create_connection(sock.getsockname()) as before:
            hold_off(sock)
            before.sendall(b"hello")
            accepted, _ = sock.accept()
            with accepted:
                accepted.settimeout(5)
                assert accepted.recv(5) == b"hello"
        with pytest.raises(TimeoutError):
            socket.create_connection(sock.getsockname(), timeout=0.1)
    (unix,) = await open_sockets(Bind(path=str(tmp_path / "s")))
    with unix:
        hold_off(unix)


def test_the_queue_is_as_long_as_a_burst_needs() -> None:
    assert listen.BACKLOG >= 1024
