"""gateway/app/simulated.py: both come together and go together.

What is printed, and that it works as printed, is tested in tests/cli/test_serve.py.
"""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.app import simulated
from gateway.app.simulated import serve_simulated
from gateway.config.binds import Bind
from gateway.config.load import Loaded, load
from gateway.config.sections import LogConfig
from gateway.engine.listen import CannotBind
from gateway.ops.log_output import open_log
from gateway.simulator import Examples, Running, start


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Running]:
    running: list[Running] = []

    async def start_and_note() -> Running:
        running.append(await start())
        return running[0]

    monkeypatch.setattr(simulated, "start", start_and_note)
    return running


def loaded(*sets: str) -> Loaded:
    return load([], ['ops.bind="127.0.0.1:0"', *sets], {}, simulator=True)


def is_listening(origin: str) -> bool:
    with socket.socket() as probe:
        host, _, port = origin.removeprefix("http://").rpartition(":")
        return probe.connect_ex((host, int(port))) == 0


async def test_it_is_announced_by_its_first_port_and_ends_with_the_gateway(
    tmp_path: Path, started: list[Running]
) -> None:
    config = loaded(f'listener.bind=["unix:{tmp_path}/a", "127.0.0.1:0"]')
    stream = BytesIO()
    told: list[tuple[Bind, int]] = []

    def open_mine(log: LogConfig) -> Any:
        return open_log(log.level, log.format, stream)

    def announce(bind: Bind, examples: Examples) -> str:
        told.append((bind, examples.delete_id))
        assert is_listening(f"http://{bind}")
        os.kill(os.getpid(), signal.SIGTERM)
        return "Try \udcff:"

    serving = serve_simulated(config, lambda: config, open_mine, announce)
    assert await asyncio.wait_for(serving, 20) == 0
    ((bind, message_id),) = told
    assert bind.path is None
    assert message_id > 0
    assert not is_listening(started[0].origin)
    lines = stream.getvalue().splitlines()
    events = [orjson.loads(line)["event"] for line in lines if line.startswith(b"{")]
    # In its turn, and whatever its names are.
    assert lines[events.index("listening") + 1] == rb"Try \udcff:"
    assert "draining" in events
    assert events[-1] == "stopped"


async def test_a_gateway_that_cannot_listen_leaves_no_simulator(started: list[Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = loaded(f'listener.bind="127.0.0.1:{taken.getsockname()[1]}"')
        announced: list[Bind] = []

        def announce(bind: Bind, _: Examples) -> str:
            announced.append(bind)
            return ""

        with pytest.raises(CannotBind):
            await serve_simulated(
                config,
                lambda: config,
                lambda log: open_log(log.level, log.format, BytesIO()),
                announce,
            )
    assert not announced
    assert not is_listening(started[0].origin)
