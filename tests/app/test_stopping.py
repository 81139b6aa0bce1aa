"""The first signal drains, the second one stops."""

import asyncio
import io
import os
import signal

import orjson
import pytest

from gateway.app.stopping import Stopped, Stopping
from gateway.ops.log_output import open_log


async def forever() -> int:
    await asyncio.Event().wait()
    return 0


async def three() -> int:
    return 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_signal_drains(number: int) -> None:
    stopping = Stopping()
    stopping.listen()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(stopping.asked(), 10)
    assert await stopping.drain(three(), forever) == Stopped(3, at_once=False)


async def test_a_second_one_stops() -> None:
    stopping = Stopping()
    stopping.listen()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(stopping.asked(), 10)
    draining = asyncio.create_task(stopping.drain(forever(), three))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(draining, 10) == Stopped(3, at_once=True)


@pytest.mark.parametrize(
    ("stopped", "code", "event", "level"),
    [
        (Stopped(0, at_once=False), 0, "stopped", "info"),
        (Stopped(2, at_once=False), 0, "stopped", "warning"),
        (Stopped(0, at_once=True), 1, "stopped at once", "warning"),
    ],
)
def test_it_is_told_and_has_an_exit_code(
    stopped: Stopped, code: int, event: str, level: str
) -> None:
    stream = io.BytesIO()
    assert stopped.tell(open_log("info", "json", stream)) == code
    line = orjson.loads(stream.getvalue())
    assert (line["event"], line["level"]) == (event, level)
    assert line["requests_cut"] == stopped.requests_cut
