"""What readiness depends on, looked after in one process."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gateway.app.requirements import Found
from gateway.app.service import Service
from gateway.config.load import load
from gateway.core.secret import Secret
from gateway.credentials.tokens import Status, Token
from gateway.ops.log_output import open_log
from tests.wire import OK, PATIENCE_S, answering, scripted

ALL = 'ops.ready_requires=["credentials", "store", "upstreams"]'


@asynccontextmanager
async def looking(origin: str, *sets: str) -> AsyncIterator[tuple[Service, asyncio.Queue[Found]]]:
    """Make a service that looks after what it requires, and what each look found."""
    told: asyncio.Queue[Found] = asyncio.Queue()
    sink = io.BytesIO()
    config = load([], settings(origin, *sets), {}).config
    service = Service(config, lambda log: open_log("error", "json", sink), told.put_nowait)
    await service.gateway.open()
    service.requirements.watch()
    yield service, told
    await service.requirements.stop()
    await service.gateway.abort()


def settings(origin: str, *sets: str) -> list[str]:
    static = ('credentials.ringcentral.grant="static"', "credentials.ringcentral.token=literal:t")
    origins = [f"upstreams.{name}.origin={origin}" for name in ("platform", "media")]
    return ['listener.bind="127.0.0.1:0"', *static, *origins, *sets]


async def until_well(told: asyncio.Queue[Found]) -> Found:
    async with asyncio.timeout(PATIENCE_S):
        while any((found := await told.get()).values()):
            pass
    return found


async def test_nothing_is_looked_at_while_nothing_is_required() -> None:
    async with scripted(answering(OK)) as upstream, looking(upstream.origin) as (service, told):
        assert service.requirements.found() == {}
        await asyncio.sleep(0)
        assert upstream.connections == 0
        service.gateway._plant = replace(
            service.gateway._plant, config=load([], settings(upstream.origin, ALL), {}).config
        )
        assert service.requirements.found()["store"] == "not asked yet"
        assert told.empty()


async def test_what_is_required_is_looked_at_at_once_and_again() -> None:
    async with scripted(answering(OK)) as upstream, looking(upstream.origin, ALL) as (one, told):
        names = ["credential ringcentral", "store", "upstream platform", "upstream media"]
        assert list(await told.get()) == names
        assert set((await until_well(told)).values()) == {None}
        assert upstream.connections == 2
        # Another configuration is looked after from its first moment.
        changed = load([], settings(upstream.origin, 'ops.ready_requires=["store"]'), {})
        await one.change(changed)
        assert await until_well(told) == {"store": None}
        await one.change(load([], settings(upstream.origin), {}))
        assert one.requirements._watching is None


class Idle:
    """A credential as far as readiness asks."""

    on_use: Callable[[], None] | None

    def __init__(self, status: Status, *, lives: bool, slides: bool) -> None:
        self._status, self._lives = status, lives
        self.on_use = (lambda: None) if slides else None

    def ready(self) -> Token | None:
        return Token(Secret(b"t"), 1) if self._lives else None

    async def current(self, deadline: float) -> Token:
        raise AssertionError("no token is obtained for this")

    def refuse(self, token: Token, place: bytes = b"") -> bool:
        raise AssertionError("nothing is sent")

    def acquit(self, place: bytes) -> None:
        raise AssertionError("nothing is sent")

    def seed(self) -> str:
        return ""

    def status(self) -> Status:
        return self._status


async def test_only_a_token_that_lives_by_being_used_may_be_over() -> None:
    async with looking("http://127.0.0.1:9") as (service, _):
        well, ill = Status("jwt", 1), Status("jwt", 1, reason="429")
        credentials = replace(
            service.gateway.credentials,
            by_name={
                "lives": Idle(ill, lives=True, slides=False),
                "over": Idle(well, lives=False, slides=False),
                "idle": Idle(well, lives=False, slides=True),
                "never": Idle(Status("engage_legacy"), lives=False, slides=True),
                "denied": Idle(ill, lives=False, slides=True),
            },
        )
    none = "no token at hand"
    assert credentials.missing() == {
        "lives": None,
        "over": none,
        "idle": None,
        "never": none,
        "denied": "429",
    }


async def test_a_bug_that_ends_the_looks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.put_nowait(context["message"]))
    try:
        async with looking("http://127.0.0.1:9") as (service, _):
            plant = service.gateway._plant
            config = load([], settings("http://127.0.0.1:9", ALL), {}).config
            service.gateway._plant = replace(plant, config=config)
            monkeypatch.setattr(service.gateway.pools["media"], "probe", None)
            service.requirements.watch()
            async with asyncio.timeout(PATIENCE_S):
                assert "not looked after" in await heard.get()
    finally:
        loop.set_exception_handler(None)
