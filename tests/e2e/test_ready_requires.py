"""`/readyz` with `ops.ready_requires`: what it waits for, and that it comes back by itself.

No request is sent: a balancer sends none to a gateway that is not ready.
"""

import asyncio
import json
import shutil
import socket
from pathlib import Path

import pytest

from gateway.stores.waiting import wait_until
from tests.e2e.crews import show
from tests.e2e.reloadable import Reloadable, reloadable, text_of
from tests.free_port import free_port
from tests.redis_server import RedisServer
from tests.wire import OK, PATIENCE_S, Peer, answering, scripted

UPSTREAMS = 'ops.ready_requires = ["upstreams"]'


async def until(gateway: Reloadable, text: str) -> str:
    """Ask as a probe does until an answer has a text."""
    answer = ""

    async def says() -> bool:
        nonlocal answer
        answer = await show(gateway, "/readyz")
        return text in answer

    assert await wait_until(says, PATIENCE_S, 0.02), answer
    return answer


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_upstream_is_looked_for_until_it_is_within_reach(
    tmp_path: Path, workers: int
) -> None:
    port, asked = free_port(), list[tuple[bytes, bytes]]()
    text = text_of(f"http://127.0.0.1:{port}", UPSTREAMS, f"engine.workers = {workers}")
    async with reloadable(tmp_path / "gateway.toml", text) as gateway:
        answer = await until(gateway, "[-]upstream platform failed: http://")
        assert answer.startswith("HTTP/1.1 503 ")
        assert "[-]upstream media failed" in answer
        async with scripted(answering(OK, seen=asked), port=port) as upstream:
            assert (await until(gateway, "HTTP/1.1 200 ")).endswith("ok\n")
            assert "[+]upstream platform ok\n" in await show(gateway, "/readyz?verbose")
            # One for each upstream of each worker, and none of a probe that had nothing to find.
            assert upstream.connections == 2 * workers
        assert asked == []
        # What was reached counts as within reach until requests have found that it is not.
        assert (await show(gateway, "/readyz")).endswith("ok\n")


async def test_a_token_is_waited_for(tmp_path: Path) -> None:
    is_open = asyncio.Event()
    token = json.dumps({"access_token": "t", "token_type": "bearer", "expires_in": 3600})
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    given = f"HTTP/1.1 200 OK\r\nContent-Length: {len(token)}\r\n\r\n{token}".encode()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_request()
            await peer.send(given if is_open.is_set() else busy)

    async with scripted(script) as upstream:
        keys = ("client_id", "client_secret", "jwt")
        owned = (f'credentials.ringcentral.{key} = "literal:{key}"' for key in keys)
        wanted = ('ops.ready_requires = ["credentials"]', 'credentials.ringcentral.grant = "jwt"')
        text = text_of(upstream.origin, *wanted, *owned)
        async with reloadable(tmp_path / "gateway.toml", text) as gateway:
            answer = await until(gateway, "[-]credential ringcentral failed: ")
            assert answer.startswith("HTTP/1.1 503 ")
            assert "[!]credential" not in await show(gateway, "/readyz?verbose")
            is_open.set()
            await until(gateway, "HTTP/1.1 200 ")


async def test_a_static_token_needs_no_request_to_be_there(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    table = f'credentials.ringcentral = {{ grant = "static", token = "file:{file}" }}'
    text = text_of("http://127.0.0.1:9", 'ops.ready_requires = ["credentials", "store"]', table)
    async with reloadable(tmp_path / "gateway.toml", text) as gateway:
        shown = await show(gateway, "/readyz?verbose")
        assert "[+]credential ringcentral ok\n[+]store ok\nreadyz check passed\n" in shown
        # What was read once serves on, and so does its gateway.
        file.unlink()
        assert (await show(gateway, "/readyz")).endswith("ok\n")


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_store_that_is_away_counts_from_the_reload_that_says_so(
    tmp_path: Path, workers: int
) -> None:
    with RedisServer(tmp_path) as redis:
        table = 'credentials.ringcentral = { grant = "jwt", client_id = "literal:a", '
        more = (
            f'stores.redis = "{redis.address}"',
            table + 'client_secret = "literal:b", jwt = "literal:c" }',
            f"engine.workers = {workers}",
        )
        text = text_of("http://127.0.0.1:9", *more)
        async with reloadable(tmp_path / "gateway.toml", text) as gateway:
            await asyncio.to_thread(redis.stop)
            await gateway.started.event("store down")
            assert (await show(gateway, "/readyz")).endswith("ok\n")
            await gateway.reload(text + 'ops.ready_requires = ["store"]\n')
            answer = await until(gateway, "[-]store failed: redis at ")
            assert answer.startswith("HTTP/1.1 503 ")
            await asyncio.to_thread(redis.start)
            await until(gateway, "HTTP/1.1 200 ")


async def test_a_file_that_could_not_be_written_is_tried_again(tmp_path: Path) -> None:
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    # Nobody but readiness asks this store for anything.
    table = 'credentials.ringcentral = { grant = "static", token = "literal:t" }'
    more = (f'stores.file = "{place}/tokens"', 'ops.ready_requires = ["store"]', table)
    text = text_of("http://127.0.0.1:9", *more)
    async with reloadable(tmp_path / "gateway.toml", text) as gateway:
        await until(gateway, "HTTP/1.1 200 ")
        shutil.rmtree(place)
        await until(gateway, f"[-]store failed: directory {place} does not exist")
        place.mkdir(mode=0o700)
        await until(gateway, "HTTP/1.1 200 ")


async def test_what_was_never_asked_is_not_there_yet(tmp_path: Path) -> None:
    # The port of a listener that takes no connection: a connect to it ends in time only.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):
            origin = f"http://127.0.0.1:{address[1]}"
            async with reloadable(tmp_path / "gateway.toml", text_of(origin, UPSTREAMS)) as gateway:
                answer = await show(gateway, "/readyz")
    assert answer.startswith("HTTP/1.1 503 ")
    assert "[-]upstream media failed: not reached yet\n" in answer
