"""gateway/engine/lookout.py: what is waited for beside a transport, and that nothing is left."""

import asyncio
import errno
import os
import socket

import pytest

from gateway.engine.lookout import Lookout
from tests.engine.spliced import opened, spliced
from tests.eventually import eventually

TOO_MUCH = 20_000_000


async def test_bytes_are_awaited_of_a_socket_that_has_a_transport() -> None:
    async with spliced(1) as way:
        assert way.body.inlet is not None
        way.body.inlet.pause_reading()
        calls: list[int] = []
        lookout = Lookout(asyncio.get_running_loop())
        lookout.await_bytes(way.body.inlet.descriptor, lambda: calls.append(1))
        await asyncio.sleep(0.01)
        assert not calls
        way.sender.send(b"x")
        await eventually(lambda: calls)
        lookout.stop()
        await asyncio.sleep(0)
        calls.clear()
        await asyncio.sleep(0.01)
        assert not calls
        lookout.close()


async def test_room_is_awaited_until_there_is_some() -> None:
    async with spliced(1) as way:
        way.road.wire.write(bytes(TOO_MUCH))
        calls: list[int] = []
        lookout = Lookout(asyncio.get_running_loop())
        lookout.await_room(way.road.wire.descriptor, lambda: calls.append(1))
        assert (lookout.awaits_bytes, lookout.awaits_room) == (False, True)
        await way.receive(TOO_MUCH)
        await eventually(lambda: calls)
        lookout.close()
        assert not lookout.awaits_room


async def test_one_thing_is_awaited_at_a_time_and_no_descriptor_is_left() -> None:
    async with spliced(1) as way:
        assert way.body.inlet is not None
        before = opened()
        lookout = Lookout(asyncio.get_running_loop())
        for _ in range(3):
            lookout.await_bytes(way.body.inlet.descriptor, lambda: None)
            assert (lookout.awaits_bytes, lookout.awaits_room) == (True, False)
            lookout.await_room(way.road.wire.descriptor, lambda: None)
            assert (lookout.awaits_bytes, lookout.awaits_room) == (False, True)
        assert opened() == before + 2
        lookout.close()
        lookout.close()
        assert opened() == before


async def test_without_a_descriptor_nothing_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    lookout = Lookout(asyncio.get_running_loop())
    one, two = socket.socketpair()
    monkeypatch.setattr(os, "dup", fail)
    for wait in (lookout.await_bytes, lookout.await_room):
        with pytest.raises(OSError, match="Too many open files"):
            wait(one.fileno(), lambda: None)
    assert (lookout.awaits_bytes, lookout.awaits_room) == (False, False)
    lookout.close()
    one.close()
    two.close()
