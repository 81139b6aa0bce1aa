"""SIGHUP: another configuration, and no caller notices."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from tests.e2e.reloadable import ANY, reloadable, text_of
from tests.e2e.vendor import OWNED, token_calls, vendor
from tests.eventually import eventually
from tests.started import MIB, Started, command
from tests.wire import OK, PATH, Peer, answering, request, scripted, values

OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


async def ask(peer: Peer) -> bytes:
    """Return the body of an answer on a connection that stays."""
    await peer.send(request())
    status, head, body = await peer.read_answer()
    assert (status, values(head, b"connection")) == (200, [])
    return body


async def dial(bind: object) -> Peer:
    host, _, port = str(bind).rpartition(":")
    return Peer(*await asyncio.open_connection(host, int(port)))


async def test_reloads_under_load_lose_no_request_and_no_connection(tmp_path: Path) -> None:
    done, stop = asyncio.Semaphore(0), asyncio.Event()

    async def keep_asking(gateway: Started) -> None:
        peer = await gateway.dial()
        while not stop.is_set():
            assert await ask(peer) in (b"ok", b"other")
            done.release()
        assert await ask(peer) == b"other"
        peer.close()

    async with (
        scripted(answering(OK)) as one,
        scripted(answering(OTHER)) as two,
        reloadable(tmp_path / "gateway.toml", text_of(one.origin)) as gateway,
    ):
        async with asyncio.TaskGroup() as callers:
            for _ in range(8):
                callers.create_task(keep_asking(gateway.started))
            for number in range(10):
                for _ in range(40):
                    await done.acquire()
                origin = (two if number % 2 else one).origin
                await gateway.reload(text_of(origin, f"limits.max_in_flight = {100 + number}"))
            await gateway.reload(text_of(two.origin))
            stop.set()
        gateway.started.process.terminate()
        assert await gateway.started.code() == 0
        assert await gateway.started.errors() == ""


async def test_another_origin_serves_what_comes_next_and_the_old_one_ends_its_download(
    tmp_path: Path,
) -> None:
    size, go = 4 * MIB, asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(HEAD % size + b"x" * 1000)
        await go.wait()
        await peer.send(b"x" * (size - 1000))
        await answering(OK)(peer)

    async with (
        scripted(script) as old,
        scripted(answering(OTHER)) as new,
        reloadable(tmp_path / "gateway.toml", text_of(old.origin)) as gateway,
    ):
        long, short = await gateway.started.dial(), await gateway.started.dial()
        await long.send(request(f"GET {PATH}/download HTTP/1.1"))
        await long.read_head()
        event = await gateway.reload(text_of(new.origin))
        paths = ["upstreams.platform", "upstreams.media"]
        assert event["renewed"] == paths
        assert event["changed"] == [f"{path}.origin" for path in paths]
        assert await ask(short) == b"other"
        go.set()
        assert len(await long.read(size)) == size
        assert await ask(long) == b"other"
        long.close()
        short.close()
    assert (old.connections, new.connections) == (1, 1)


async def test_a_bad_configuration_is_refused_with_all_problems_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async with scripted(answering(OK)) as upstream:
        text = text_of(upstream.origin)
        async with reloadable(tmp_path / "gateway.toml", text) as gateway:
            peer = await gateway.started.dial()
            assert await ask(peer) == b"ok"
            bad = text + "log.level = 'loud'\nlimits.max_in_flight = 'x'\nunheard = 1\n"
            event = await gateway.reload(bad, "reload refused")
            problems = event["problems"]
            assert isinstance(problems, list)
            found = [problem.partition(":")[0] for problem in problems]
            assert found == ["limits.max_in_flight", "log.level", "unheard"]
            event = await gateway.reload(text + "stores.lease_s = 5\n", "reload refused")
            assert "stores.lease_s: cannot change while the gateway runs" in str(event["problems"])
            event = await gateway.reload("= no TOML", "reload refused")
            assert await ask(peer) == b"ok"
            assert (await gateway.reload(text))["changed"] == []
            peer.close()
    assert upstream.connections == 1


async def test_a_bind_comes_and_goes(tmp_path: Path) -> None:
    async with scripted(answering(OK)) as upstream:
        file = tmp_path / "gateway.toml"
        async with reloadable(file, text_of(upstream.origin)) as gateway:
            first = await gateway.started.dial()
            assert await ask(first) == b"ok"
            more = text_of(upstream.origin, bind=f'[{ANY}, "unix:{tmp_path}/data.sock"]')
            assert (await gateway.reload(more))["binds"] == [
                gateway.started.bind,
                f"unix:{tmp_path}/data.sock",
            ]
            second = Peer(*await asyncio.open_unix_connection(f"{tmp_path}/data.sock"))
            assert await ask(first) == await ask(second) == b"ok"
            less = text_of(upstream.origin, bind=f'"unix:{tmp_path}/data.sock"')
            assert (await gateway.reload(less))["changed"] == ["listener.bind"]
            assert await first.read_to_end() == b""
            with pytest.raises(ConnectionRefusedError):
                await gateway.started.dial()
            assert await ask(second) == b"ok"
            for peer in (first, second):
                peer.close()


async def test_a_port_that_is_taken_refuses_the_whole(tmp_path: Path) -> None:
    async with (
        scripted(answering(OK)) as upstream,
        reloadable(tmp_path / "gateway.toml", text_of(upstream.origin)) as gateway,
    ):
        taken = text_of("http://127.0.0.1:9", bind=f'[{ANY}, "127.0.0.1:{upstream.port}"]')
        event = await gateway.reload(taken, "reload refused")
        assert event["problems"] == [
            f"listener.bind: cannot listen on 127.0.0.1:{upstream.port}: the address is in "
            "use by another process; stop it or choose another"
        ]
        peer = await gateway.started.dial()
        assert await ask(peer) == b"ok"
        peer.close()


async def test_a_credential_keeps_its_token_unless_it_changes(tmp_path: Path) -> None:
    owned = ['credentials.ringcentral.grant = "jwt"', 'rates.mode = "off"']
    owned += ["{} = '{}'".format(*one.split("=")) for one in OWNED]
    async with vendor() as upstream:
        text = text_of(upstream.origin, *owned)
        async with reloadable(tmp_path / "gateway.toml", text) as gateway:
            peer = await gateway.started.dial()
            await ask(peer)
            event = await gateway.reload(text + 'log.level = "debug"\n')
            assert (event["changed"], event["renewed"]) == (["log.level"], [])
            await ask(peer)
            assert token_calls(upstream) == {"jwt": {"200": 1}}
            event = await gateway.reload(text + "credentials.ringcentral.access_token_ttl = 600\n")
            assert event["renewed"] == ["credentials.ringcentral"]
            await ask(peer)
            # The same session: its token is in the store.
            assert token_calls(upstream) == {"jwt": {"200": 1}}
            peer.close()


async def test_the_log_and_the_limits_apply_and_the_operators_listener_waits(
    tmp_path: Path,
) -> None:
    async with scripted(answering(OK)) as upstream:
        file, text = tmp_path / "gateway.toml", text_of(upstream.origin)
        quiet = text_of(upstream.origin, 'log.requests = "off"')
        async with reloadable(file, quiet) as gateway:
            peer = await gateway.started.dial()
            assert await ask(peer) == b"ok"
            moved = text.replace('ops.bind = "127.0.0.1:0"', 'ops.bind = "127.0.0.1:1"')
            for _ in range(2):
                event = await gateway.reload(moved + "limits.max_body_bytes = 70000\n", "")
                assert event["level"] == "warning"
                assert "ops.bind: is 127.0.0.1:1 from the next restart on" in str(event["event"])
                await gateway.started.event("reloaded")
            await peer.send(request(f"POST {PATH} HTTP/1.1", "Content-Length: 70001"))
            assert (await peer.read_answer())[0] == 413
            assert (await gateway.started.event("request"))["code"] == "body-too-large"
            peer.close()


def is_held_back(gateway: Started) -> bool:
    """Tell whether a gateway has SIGHUP wait."""
    text = Path(f"/proc/{gateway.process.pid}/status").read_text(encoding="ascii")
    (mask,) = re.findall(r"SigBlk:\s*([0-9a-f]+)", text)
    return bool(int(mask, 16) & 1 << signal.SIGHUP - 1)


async def test_a_reload_that_is_asked_for_while_it_starts_comes_when_it_serves(
    tmp_path: Path,
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text_of("http://127.0.0.1:1"))
    async with command("--config", str(file)) as gateway:
        await eventually(lambda: is_held_back(gateway))
        gateway.process.send_signal(signal.SIGHUP)
        assert [(await gateway.event())["event"] for _ in range(2)] == ["listening", "reloaded"]
        assert not is_held_back(gateway)


async def test_a_start_that_fails_says_why_whoever_asks_for_a_reload(tmp_path: Path) -> None:
    async with command("--set", "log.level=loud") as gateway:
        await eventually(lambda: is_held_back(gateway))
        gateway.process.send_signal(signal.SIGHUP)
        assert await gateway.code() == os.EX_CONFIG
        assert "log.level" in await gateway.errors()
