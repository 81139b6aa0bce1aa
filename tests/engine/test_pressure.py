"""gateway/engine/pressure.py."""

import asyncio

from gateway.engine.pressure import Pressed, Pressure


async def test_a_writer_waits_while_the_pressure_is_high() -> None:
    pressure = Pressure(asyncio.get_running_loop())
    await pressure.fallen()
    pressure.fall()
    pressure.rise()
    assert pressure.is_high
    writers = [asyncio.create_task(pressure.fallen()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(writer.done() for writer in writers)
    writers[0].cancel()
    await asyncio.wait(writers[:1])
    pressure.fall()
    assert not pressure.is_high
    await asyncio.wait_for(writers[1], 10)


async def test_a_protocol_tells_of_its_room_what_asyncio_tells_it() -> None:
    class Protocol(Pressed):
        def __init__(self) -> None:
            self._pressure = Pressure(asyncio.get_running_loop())

    protocol = Protocol()
    assert protocol.has_room
    protocol.pause_writing()
    assert not protocol.has_room
    waiting = asyncio.create_task(protocol.drain())
    await asyncio.sleep(0)
    assert not waiting.done()
    protocol.resume_writing()
    assert protocol.has_room
    await asyncio.wait_for(waiting, 10)
