"""Whoever reads the log stands still, and nobody else does."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e.crews import TWO, show
from tests.e2e.reloadable import reloadable, text_of
from tests.eventually import eventually
from tests.started import Started
from tests.wire import PATIENCE_S, request

# Their lines are more than what waits, and what is on its way.
MANY = 8000
NOWHERE = request("GET /nowhere HTTP/1.1")
ALL = 'log.requests = "on"'


async def ask_many(gateway: Started, count: int) -> None:
    peer = await gateway.dial()
    for _ in range(count):
        await peer.send(NOWHERE)
        status, _, _ = await asyncio.wait_for(peer.read_answer(), PATIENCE_S)
        assert status == 404
    peer.close()


@pytest.mark.parametrize("more", [(), (TWO,)], ids=["one", "workers"])
async def test_a_log_that_is_not_read_holds_up_no_request_no_probe_and_no_shutdown(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    text = text_of("http://127.0.0.1:1", ALL, *more)
    async with reloadable(tmp_path / "gateway.toml", text) as gateway:
        await ask_many(gateway.started, MANY)
        assert "200 OK" in await show(gateway, "/livez")
        process = gateway.started.process
        process.send_signal(signal.SIGTERM)
        # Who waits for the process also waits for the end of its log.
        await eventually(lambda: process.returncode is not None)
        assert process.returncode == 0


async def test_lines_for_which_there_was_no_room_are_counted(tmp_path: Path) -> None:
    text = text_of("http://127.0.0.1:1", ALL)
    async with reloadable(tmp_path / "gateway.toml", text) as gateway:
        await ask_many(gateway.started, MANY)
        lost = await gateway.started.event("log lines lost")
        assert isinstance(lost["lines"], int)
        told = sum(event["event"] == "request" for event in gateway.started.events)
        assert (lost["level"], told + lost["lines"]) == ("warning", MANY)
        # What follows is told of as before.
        await ask_many(gateway.started, 1)
        assert (await gateway.started.event())["event"] == "request"
