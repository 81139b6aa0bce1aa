"""A gateway in its process: what it opens together, and what ends it.

Signals are sent for real in tests/e2e/test_callers_process.py.
"""

import asyncio
import io
import os
import signal
import socket

import orjson
import pytest

from gateway.app.host import Host
from gateway.config.load import load
from gateway.engine.listen import CannotBind
from gateway.ops.log_output import open_log

SETS = (
    'credentials.ringcentral.grant="none"',
    *('listener.bind="127.0.0.1:0"', 'ops.bind="127.0.0.1:0"', "timeouts.drain_s=1"),
)


def host_of(*sets: str) -> tuple[Host, io.BytesIO]:
    stream = io.BytesIO()
    loaded = load([], [*SETS, *sets], {})
    host = Host(loaded.config, lambda log: open_log(log.level, log.format, stream), lambda: loaded)
    return host, stream


def events_of(stream: io.BytesIO) -> list[str]:
    return [orjson.loads(line)["event"] for line in stream.getvalue().splitlines()]


async def test_a_signal_drains_and_ends_with_0() -> None:
    host, stream = host_of()
    await host.open()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(host.until_stopped(), 10) == 0
    assert events_of(stream) == ["listening", "draining", "stopped"]


async def test_what_is_over_is_told_before_what_comes_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.ops.fanout.TELL_WITHIN_S", 60.0)
    host, stream = host_of()
    await host.open()
    address = str(host.gateway.binds[0]).rpartition(":")
    reader, writer = await asyncio.open_connection(address[0], int(address[2]))
    writer.write(b"PURGE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 405 ")
    writer.close()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(host.until_stopped(), 10) == 0
    assert events_of(stream) == ["listening", "request", "draining", "stopped"]


async def test_a_reload_and_a_stop_at_once_is_a_stop() -> None:
    host, stream = host_of()
    await host.open()
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(host.until_stopped(), 10) == 0
    assert events_of(stream)[-2:] == ["draining", "stopped"]
    assert set(events_of(stream)) <= {"listening", "reloaded", "draining", "stopped"}


async def test_two_signals_at_once_stop_at_once() -> None:
    host, stream = host_of()
    await host.open()
    stopping = asyncio.create_task(host.until_stopped())
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    assert await asyncio.wait_for(stopping, 10) == 1
    assert events_of(stream)[-1] == "stopped at once"


async def test_nothing_is_open_or_asked_for_when_the_ops_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, stream = host_of(f'ops.bind="127.0.0.1:{taken.getsockname()[1]}"')
        with pytest.raises(CannotBind, match="in use"):
            await host.open()
    # A token is asked for once the gateway is open.
    assert host.gateway.binds == []
    assert "listening" not in events_of(stream)


async def test_no_ops_port_stays_open_when_the_data_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ops_port = free.getsockname()[1]
        free.close()
        host, stream = host_of(
            f'listener.bind="127.0.0.1:{taken.getsockname()[1]}"',
            f'ops.bind="127.0.0.1:{ops_port}"',
        )
        with pytest.raises(CannotBind, match="in use"):
            await host.open()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ops_port))
    assert "listening" not in events_of(stream)


async def test_what_may_not_be_meant_is_said_at_the_start() -> None:
    chain = ('grant="refresh_token"', 'client_id="env:NOBODY"', 'refresh_token="env:NOBODY"')
    host, stream = host_of(
        'upstreams.platform.origin="http://127.0.0.1:9"',
        *(f"credentials.ringcentral.{key}" for key in chain),
    )
    await host.open()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(host.until_stopped(), 10) == 0
    assert "credentials.ringcentral.refresh_token: is good once" in events_of(stream)[0]
