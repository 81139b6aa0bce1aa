"""The gateway as a process: signals, exit codes, sockets and memory."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wire import OK, PATH, PATIENCE_S, Peer, Script, answering, request, scripted, values

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
# Buffers of both directions, and what the allocator keeps of them.
MAX_GROWTH_BYTES = 40 * MIB
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@dataclass
class Started:
    """A gateway in a process of its own, up to the event that was waited for."""

    process: asyncio.subprocess.Process
    bind: str = ""

    async def event(self, name: str) -> dict[str, object]:
        """Return the next log event of a name."""
        assert self.process.stdout is not None
        while line := await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S):
            event: dict[str, object] = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError(f"ended before {name}: {await self.errors()}")

    async def errors(self) -> str:
        """Return all that was said on standard error, once the process has ended."""
        assert self.process.stderr is not None
        return (await asyncio.wait_for(self.process.stderr.read(), PATIENCE_S)).decode()

    async def code(self) -> int:
        """Return the exit code."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def dial(self, receive_bytes: int = 0) -> Peer:
        """Return a new connection to the gateway."""
        if self.bind.startswith("unix:"):
            return Peer(*await asyncio.open_unix_connection(self.bind[5:]))
        host, _, port = self.bind.rpartition(":")
        sock = socket.socket()
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
        except OSError:
            sock.close()
            raise
        return Peer(*await asyncio.open_connection(sock=sock, limit=MIB))

    def memory(self, name: str) -> int:
        """Return a figure of /proc/PID/status in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in text.splitlines() if line.startswith(name + ":")]
        return int(line.split()[1]) * 1024


@asynccontextmanager
async def process(origin: str, bind: str = "127.0.0.1:0", *sets: str) -> AsyncIterator[Started]:
    """Start `python -m gateway serve`; kill what is left of it at the end."""
    settings = (
        *(f'listener.bind="{bind}"', 'ops.bind="127.0.0.1:0"', "log.requests=errors"),
        *(f'upstreams.platform.origin="{origin}"', f'upstreams.media.origin="{origin}"'),
        *('credentials.ringcentral.grant="none"', *sets),
    )
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve"),
        *(word for setting in settings for word in ("--set", setting)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("RC")},
    )
    try:
        yield Started(started)
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        # Reading to the end closes the pipes.
        await started.communicate()


@asynccontextmanager
async def serving(script: Script, bind: str = "127.0.0.1:0", *sets: str) -> AsyncIterator[Started]:
    async with scripted(script) as upstream, process(upstream.origin, bind, *sets) as gateway:
        binds = (await gateway.event("listening"))["binds"]
        assert isinstance(binds, list)
        gateway.bind = binds[0]
        yield gateway


async def ask_until_closed(gateway: Started, loaded: asyncio.Semaphore) -> None:
    """Ask again and again, count what is answered, end when nobody listens any more."""
    while True:
        try:
            peer = await gateway.dial()
        except ConnectionRefusedError:
            return
        keeps = True
        while keeps:
            await peer.send(request())
            status, head, body = await peer.read_answer()
            assert (status, body) == (200, b"ok")
            loaded.release()
            keeps = values(head, b"connection") != [b"close"]
        peer.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_drain_under_load_loses_no_request(number: signal.Signals) -> None:
    size = 4 * MIB
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            if b"/download " not in head:
                await peer.send(OK)
                continue
            await peer.send(HEAD % size + b"x" * 1000)
            await release.wait()
            await peer.send(b"x" * (size - 1000))

    async with serving(script) as gateway:
        long = await gateway.dial()
        await long.send(request(f"GET {PATH}/download HTTP/1.1"))
        assert values(await long.read_head(), b"connection") == []
        loaded = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as callers:
            for _ in range(8):
                callers.create_task(ask_until_closed(gateway, loaded))
            for _ in range(200):
                await loaded.acquire()
            gateway.process.send_signal(number)
        # Every caller was told to go; the download is whole, and may be followed by a request.
        release.set()
        assert len(await long.read(size)) == size
        await long.send(request())
        status, head, _ = await long.read_answer()
        assert (status, values(head, b"connection")) == (200, [b"close"])
        assert await long.read_to_end() == b""
        long.close()
        assert await gateway.code() == 0
        assert await gateway.errors() == ""


async def test_an_idle_caller_does_not_hold_the_drain_up() -> None:
    async with serving(answering(OK)) as gateway:
        idle = await gateway.dial()
        gateway.process.terminate()
        assert await gateway.code() == 0
        idle.close()


async def test_what_is_left_when_the_time_is_up_is_cut() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_to_end()

    async with serving(script, "127.0.0.1:0", "timeouts.drain_s=0.2") as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await asked.wait()
        gateway.process.terminate()
        event = await gateway.event("request")
        assert (event["status"], event["code"]) == (503, "draining")
        assert await peer.is_cut()
        assert await gateway.code() == 0
        peer.close()


async def test_a_second_signal_stops_at_once() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_to_end()

    async with serving(script) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await asked.wait()
        gateway.process.terminate()
        await gateway.event("draining")
        gateway.process.terminate()
        assert await peer.is_cut()
        assert await gateway.code() == 1
        assert await gateway.errors() == ""
        peer.close()


async def test_a_hangup_is_told_and_ignored() -> None:
    async with serving(answering(OK)) as gateway:
        gateway.process.send_signal(signal.SIGHUP)
        assert await gateway.event(
            "SIGHUP is ignored: this version reads its configuration at start only"
        )
        peer = await gateway.dial()
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        peer.close()


@pytest.mark.parametrize("setting", ["listener.bind", "ops.bind"])
async def test_a_port_in_use_is_one_clear_line_and_71(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        async with process("http://127.0.0.1:1", "127.0.0.1:0", f'{setting}="{bind}"') as gateway:
            assert await gateway.code() == os.EX_OSERR
            assert await gateway.errors() == (
                f"cannot listen on {bind}: the address is in use by another process; "
                "stop it or choose another\n"
            )


async def test_a_unix_socket_is_served_taken_over_when_left_behind_and_never_shared(
    tmp_path: Path,
) -> None:
    bind, ops = f"unix:{tmp_path}/data.sock", f"unix:{tmp_path}/ops.sock"
    async with serving(answering(OK), bind, f'ops.bind="{ops}"') as gateway:
        peer = await gateway.dial()
        await peer.send(request(host="anything.example"))
        assert (await peer.read_answer())[0] == 200
        peer.close()
        for sets in ((bind,), ("127.0.0.1:0", f'ops.bind="{ops}"')):
            async with process("http://127.0.0.1:1", *sets) as second:
                assert await second.code() == os.EX_OSERR
                assert "the address is in use by another process" in await second.errors()
        gateway.process.kill()
        await gateway.code()
    assert set(os.listdir(tmp_path)) == {"data.sock", "ops.sock"}
    async with serving(answering(OK), bind, f'ops.bind="{ops}"') as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        peer.close()
        gateway.process.terminate()
        assert await gateway.code() == 0
    assert os.listdir(tmp_path) == []


async def test_memory_is_bounded_while_64_mib_go_up_and_256_mib_come_down() -> None:
    piece = b"x" * MIB

    async def script(peer: Peer) -> None:
        _, body = await peer.read_request()
        assert len(body) == 64 * MIB
        await peer.send(OK)
        await peer.read_request()
        await peer.send(HEAD % (256 * MIB))
        for _ in range(256):
            await peer.send(piece)
        await peer.read_to_end()

    async with serving(script) as gateway:
        before = gateway.memory("VmRSS")
        peer = await gateway.dial(receive_bytes=65536)
        await peer.send(request(f"POST {PATH} HTTP/1.1", f"Content-Length: {64 * MIB}"))
        for _ in range(64):
            await peer.send(piece)
        assert (await peer.read_answer())[0] == 200
        await peer.send(request())
        await peer.read_head()
        for _ in range(256):
            await peer.read(MIB)
            # The gateway has run ahead by now, if it ever does.
            assert gateway.memory("VmHWM") - before < MAX_GROWTH_BYTES
        peer.close()
