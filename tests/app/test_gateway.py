"""The composition root: what is opened is closed, what cannot be opened is told.

As a process, with its signals and exit codes, it is tested in tests/e2e/test_callers_process.py.
"""

import socket

import pytest

from gateway.app import Gateway, make_credentials
from gateway.config.load import load
from gateway.engine.listen import CannotBind
from gateway.stores.memory import MemoryStore
from tests.wire import Recorder

NONE = 'credentials.ringcentral.grant="none"'


def gateway_on(*binds: str) -> Gateway:
    listed = ", ".join(f'"{bind}"' for bind in binds)
    config = load([], [NONE, f"listener.bind=[{listed}]"], {}).config
    return Gateway(config, make_credentials(config, {}, Recorder(), MemoryStore()), Recorder())


async def test_every_bind_is_opened_and_closed() -> None:
    gateway = gateway_on("127.0.0.1:0", "127.0.0.1:0")
    await gateway.open()
    ports = [bind.port for bind in gateway.binds]
    assert len(set(ports)) == 2
    for port in ports:
        socket.create_connection(("127.0.0.1", port)).close()
    await gateway.abort()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


async def test_what_was_opened_is_closed_when_the_rest_cannot_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        free = first.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gateway = gateway_on(f"127.0.0.1:{free}", f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(CannotBind, match="in use"):
            await gateway.open()
        assert gateway.binds == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", free))
