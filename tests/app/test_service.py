"""A gateway with its log and metrics, through a change of its configuration."""

import asyncio
import io

import orjson
import pytest
from structlog.typing import FilteringBoundLogger

from gateway.app.service import Service
from gateway.config.load import Loaded, load
from gateway.config.sections import LogConfig
from gateway.engine.events import Record
from gateway.ops.log_output import open_log
from tests.wire import PATIENCE_S, Peer, request, scripted

JWT = (
    'credentials.ringcentral.grant="jwt"',
    *(f"credentials.ringcentral.{key}=literal:x" for key in ("client_id", "client_secret", "jwt")),
)
SETS = ('listener.bind="127.0.0.1:0"', "upstreams.platform.origin=http://127.0.0.1:9", *JWT)
MORE = (
    "upstreams.engage_digital.origin=https://a.api.digital.ringcentral.com",
    "upstreams.engage_digital.credential=digital",
    "credentials.digital.token=literal:t",
)


def loaded_of(*sets: str) -> Loaded:
    return load([], [*SETS, *sets], {})


NO_CREDENTIAL = ('credentials.ringcentral.grant="none"', "timeouts.drain_s=0.1")


class Written:
    """A service and the lines of its log."""

    def __init__(self, *sets: str, loaded: Loaded | None = None) -> None:
        self.stream = io.BytesIO()
        self.opened = 0
        self.service = Service((loaded or loaded_of(*sets)).config, self.open)

    def open(self, config: LogConfig) -> FilteringBoundLogger:
        self.opened += 1
        return open_log(config.level, config.format, self.stream)

    def lines(self) -> list[str]:
        return [str(orjson.loads(line)["event"]) for line in self.stream.getvalue().splitlines()]

    def end(self) -> None:
        """Have a request be over."""
        self.service.gateway._plant.outfit.events.finished(Record("id", 0.0, status=200))

    async def finish(self) -> None:
        """Have a request be over, and told of."""
        self.end()
        self.service.tell()
        # Lines are written at the end of a turn.
        await asyncio.sleep(0)

    def metrics(self) -> str:
        self.service.metrics.sample()
        return self.service.metrics.render()[0].decode()


async def test_the_log_is_opened_anew_only_when_it_changes() -> None:
    written = Written()
    await written.service.change(loaded_of("timeouts.idle_s=5"))
    assert written.opened == 1
    await written.finish()
    await written.service.change(loaded_of("log.requests=errors"))
    await written.finish()
    assert written.opened == 2
    assert written.lines() == ["request"]
    await written.service.change(loaded_of("log.level=error"))
    written.service.log.warning("too quiet")
    assert written.lines() == ["request"]
    await written.service.gateway.abort()


async def test_what_is_counted_goes_on_and_what_is_gone_is_not_told_of() -> None:
    written = Written(*MORE)
    await written.finish()
    assert set(written.service.report.notes()) == {
        *("credential ringcentral", "credential digital", "store")
    }
    renewed = await written.service.change(loaded_of())
    await written.finish()
    assert renewed == []
    assert set(written.service.report.notes()) == {"credential ringcentral", "store"}
    assert "http_server_request_duration_seconds_count{" in written.metrics()
    assert 'status="200",upstream=""} 2.0' in written.metrics()
    await written.service.gateway.abort()


async def test_a_caution_is_said_when_it_is_new() -> None:
    chain = (
        "credentials.ringcentral.grant=refresh_token",
        'credentials.ringcentral.client_id="env:A"',
        'credentials.ringcentral.refresh_token="env:B"',
    )
    chained = load([], [*SETS[:2], *chain], {})
    written = Written()
    before = written.service.gateway.config
    await written.service.change(chained)
    written.service.warn(before)
    assert "is good once" in written.lines()[-1]
    count = len(written.lines())
    written.service.warn(chained.config)
    assert len(written.lines()) == count
    await written.service.gateway.abort()


async def test_another_form_of_the_log_is_that_of_requests_too() -> None:
    written = Written()
    await written.service.change(loaded_of("log.format=console"))
    await written.finish()
    (line,) = written.stream.getvalue().splitlines()
    assert not line.startswith(b"{")
    assert b"200" in line
    written.end()
    written.service.log.info("later")
    _, before, after = written.stream.getvalue().splitlines()
    assert [b"200" in before, b"later" in after] == [True, True]
    await written.service.gateway.abort()


async def test_what_was_over_before_the_log_changed_is_told_as_it_was_then() -> None:
    written = Written()
    written.end()
    await written.service.change(loaded_of("log.requests=off"))
    written.end()
    written.service.tell()
    await asyncio.sleep(0)
    assert written.lines() == ["request"]
    await written.service.gateway.abort()


async def test_a_scrape_counts_every_request_that_is_over() -> None:
    written = Written()
    written.end()
    assert 'status="200",upstream=""} 1.0' in written.metrics()
    await written.service.gateway.abort()


@pytest.mark.parametrize("how", ["abort", "retire"])
async def test_what_is_cut_is_counted_when_the_cut_is_over(how: str) -> None:
    async def ask_nobody(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await asyncio.sleep(PATIENCE_S)

    asked = asyncio.Event()
    async with scripted(ask_nobody) as upstream:
        sets = [SETS[0], f"upstreams.platform.origin={upstream.origin}", *NO_CREDENTIAL]
        written = Written(loaded=load([], sets, {}))
        gateway = written.service.gateway
        await gateway.open()
        address = str(gateway.binds[0]).rpartition(":")
        caller = Peer(*await asyncio.open_connection(address[0], int(address[2])))
        await caller.send(request())
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        if how == "abort":
            await gateway.abort()
        else:
            retiring = asyncio.create_task(gateway.retire())
            await asyncio.sleep(0)
            caller.reset()
            await retiring
            await gateway.emptied()
        assert "http_server_request_duration_seconds_count{" in written.metrics()
        await gateway.abort()
