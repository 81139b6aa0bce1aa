"""The composition root: what is opened is closed, what cannot be opened is told.

As a process, with its signals and exit codes, it is tested in tests/e2e/test_callers_process.py.
"""

import asyncio
import socket

import pytest

from gateway.app import Gateway, make_credentials
from gateway.config.load import load
from gateway.engine.listen import CannotBind
from gateway.policy.routes import Scheme
from gateway.stores.memory import MemoryStore
from tests.policy.world import permitted_of
from tests.reloads import change, config_for
from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    Peer,
    Recorder,
    answering,
    request,
    running,
    scripted,
    values,
)

NONE = 'credentials.ringcentral.grant="none"'


def gateway_on(*binds: str) -> Gateway:
    listed = ", ".join(f'"{bind}"' for bind in binds)
    config = load([], [NONE, f"listener.bind=[{listed}]"], {}).config
    return Gateway(config, make_credentials(config, {}, Recorder(), MemoryStore()), Recorder())


async def test_gateways_that_share_a_redis_charge_a_caller_of_its_own_token_alike() -> None:
    asked = permitted_of("GET", PATH, "Authorization: Bearer t0ken", Scheme.PASSTHROUGH)

    def credential(*sets: str) -> str:
        config = load([], [NONE, *sets], {}).config
        credentials = make_credentials(config, {}, Recorder(), MemoryStore())
        return Gateway(config, credentials, Recorder()).rates.key_of(asked).credential

    shared = 'stores.redis="redis://127.0.0.1:1/0"'
    assert credential(shared) == credential(shared)
    assert credential() != credential()


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


LIMITED = (
    b"HTTP/1.1 429 Too Many Requests\r\nX-Rate-Limit-Group: light\r\nX-Rate-Limit-Limit: 50\r\n"
    b"X-Rate-Limit-Remaining: 0\r\nX-Rate-Limit-Window: 60\r\nContent-Length: 0\r\n\r\n"
)


async def test_idle_connections_stay_when_their_origin_does() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        await gateway.ask(request())
        assert await change(gateway, config_for(upstream.origin, "limits.max_in_flight=7")) == []
        assert {pool.max_idle for pool in gateway.gateway.pools.values()} == {7}
        await gateway.ask(request())
    assert upstream.connections == 1


async def test_what_is_not_kept_is_closed_after_the_last_request_that_may_use_it() -> None:
    ended = asyncio.Semaphore(0)

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        assert await peer.read_to_end() == b""
        ended.release()

    async with scripted(script) as old, running(old.origin) as gateway:
        await gateway.ask(request())
        renewed = await change(gateway, config_for("http://127.0.0.1:9", "log.level=error"))
        assert renewed == ["upstreams.platform", "upstreams.media"]
        await asyncio.wait_for(ended.acquire(), PATIENCE_S)


async def test_a_door_that_the_vendor_shut_stays_shut_under_another_mode() -> None:
    async with scripted(answering(LIMITED)) as upstream, running(upstream.origin) as gateway:
        assert (await gateway.ask(request()))[0] == 429
        for mode, code in (("off", []), ("queue", [b"rate-shield"]), ("shield", [b"rate-shield"])):
            await change(
                gateway, config_for(upstream.origin, f"rates.mode={mode}", "rates.max_wait_s=0.1")
            )
            status, head, _ = await gateway.ask(request())
            assert (status, values(head, b"x-gateway-error")) == (429, code)


async def test_a_change_that_cannot_be_made_changes_nothing() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        before = gateway.gateway._plant
        with pytest.raises(FileNotFoundError):
            await change(
                gateway, config_for(upstream.origin, "upstreams.platform.ca_file=/nowhere/x")
            )
        taken = f"listener.bind=['127.0.0.1:0', '127.0.0.1:{upstream.port}']"
        with pytest.raises(CannotBind):
            await change(gateway, config_for("http://127.0.0.1:9", taken))
        assert gateway.gateway._plant is before
        assert (await gateway.ask(request()))[0] == 200
