"""What the gateway as a process takes of its machine: ports, files, descriptors, memory."""

import os
import socket
from pathlib import Path

import pytest

from tests.started import MIB, process, serving
from tests.wire import OK, PATH, Peer, answering, request

# Buffers of both directions, and what the allocator keeps of them.
MAX_GROWTH_BYTES = 40 * MIB
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


async def test_the_limit_of_open_files_is_raised_to_what_is_needed() -> None:
    async with process(
        "http://127.0.0.1:1", "127.0.0.1:0", "limits.max_connections=3000", open_files=(512, 9000)
    ) as gateway:
        assert (await gateway.event())["event"] == "listening"
        assert gateway.limit("Max open files") == 4320


async def test_a_limit_of_open_files_that_is_too_low_is_told() -> None:
    async with process("http://127.0.0.1:1", open_files=(512, 9000)) as gateway:
        told = await gateway.event()
        assert told["level"] == "warning"
        assert str(told["event"]).startswith(
            "only 9000 open files are allowed; limits.max_connections and limits.max_in_flight "
            "need 11320: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)"
        )
        assert gateway.limit("Max open files") == 9000


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
