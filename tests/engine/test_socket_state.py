"""gateway/engine/socket_state.py: what is there is seen, and stays there."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from gateway.engine.socket_state import SocketState

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    with one, other:
        yield one, other


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def test_a_socket_with_nothing_to_read_is_silent(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    state = SocketState(pair[0].fileno())
    assert not state.poll(0)
    assert not state.is_ended()


def test_what_is_looked_at_stays_to_be_read(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    state = SocketState(one.fileno())
    other.sendall(b"unasked")
    assert [bool(state.poll(0)) for _ in range(2)] == [True, True]
    assert not state.is_ended()
    assert one.recv(100) == b"unasked"
    assert not state.poll(0)


@pytest.mark.parametrize(
    ("end", "ended"), [(reset, True), (lambda sock: sock.shutdown(socket.SHUT_WR), False)]
)
def test_only_a_connection_that_is_cut_is_ended(
    pair: tuple[socket.socket, socket.socket],
    end: Callable[[socket.socket], None],
    *,
    ended: bool,
) -> None:
    one, other = pair
    state = SocketState(one.fileno())
    end(other)
    assert state.poll(0)
    assert state.is_ended() is ended
