"""A credential that is exchanged for another one's token, and is over with it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.config.secrets import parse_reference
from gateway.credentials.broker import Broker
from gateway.credentials.grants.ringcx import RingcxGrant
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.means import Means
from gateway.credentials.renewal import Renewal
from gateway.credentials.setbacks import Setbacks
from gateway.errors import CredentialUnavailable
from gateway.stores.memory import MemoryStore
from tests.credentials.brokers import KEY
from tests.credentials.desk import Answer, Call, Desk, Told, desk, endpoint_of
from tests.eventually import eventually


def exchanged(call: Call, number: int) -> Answer:
    """Answer with a token of the user whose token was presented."""
    user = call.form.get("rcAccessToken") or call.form["refresh_token"].partition("-")[0]
    if user == "nobody":
        return 403, {"errorCode": "access.denied.exception"}
    return 200, {"accessToken": f"{user}-{number}", "refreshToken": f"{user}-r{number}"}


@asynccontextmanager
async def following(file: Path, service: Desk, store: MemoryStore) -> AsyncIterator[Broker]:
    """Run a credential that is exchanged for the token in a file."""
    # It is looked at each time, and not each second.
    clock = iter(range(1_000_000))
    source = StaticCredential(
        "ours", parse_reference(f"file:{file}"), {}, Told(), lambda: float(next(clock))
    )
    grant = RingcxGrant(endpoint_of(service, store), source, "ours", time.time)
    broker = Broker(
        "cx",
        "ringcx",
        Renewal(KEY, grant, store, time.time),
        Means(grant, Setbacks(10.0, 60.0, final=False), reissues=4, window_s=60.0, follows=True),
        Told(),
    )
    yield broker
    await broker.close()


async def token_of(broker: Broker) -> str:
    token = await broker.current(asyncio.get_running_loop().time() + 10.0)
    return token.value.reveal().decode()


async def test_a_token_that_became_another_users_is_followed_at_the_next_look(
    tmp_path: Path,
) -> None:
    file, store = tmp_path / "token", MemoryStore()
    file.write_text("alice")
    async with desk() as service, following(file, service, store) as broker:
        service.default = exchanged
        assert await token_of(broker) == "alice-1"
        broker._on_timer()
        assert await token_of(broker) == "alice-1"
        file.write_text("bob")
        # What comes every ten seconds.
        broker._on_timer()
        await eventually(lambda: broker.ready() is not None and len(service.calls) == 2)
        assert await token_of(broker) == "bob-2"
    assert [call.form.get("rcAccessToken") for call in service.calls] == ["alice", "bob"]


async def test_who_is_not_let_in_has_no_token_of_the_former_user(tmp_path: Path) -> None:
    file, store = tmp_path / "token", MemoryStore()
    file.write_text("alice")
    async with desk() as service, following(file, service, store) as broker:
        service.default = exchanged
        assert await token_of(broker) == "alice-1"
        file.write_text("nobody")
        broker._on_timer()
        await service.came(2)
        with pytest.raises(CredentialUnavailable, match="403"):
            await token_of(broker)
        # Another token is presented at once, however long the wait was to be.
        file.write_text("bob")
        broker._means._next_look = 0.0
        assert await token_of(broker) == "bob-3"


async def test_what_is_stored_of_another_user_is_not_taken_over(tmp_path: Path) -> None:
    file, store = tmp_path / "token", MemoryStore()
    async with desk() as service:
        service.default = exchanged
        for user, token in (("alice", "alice-1"), ("bob", "bob-2"), ("bob", "bob-2")):
            file.write_text(user)
            async with following(file, service, store) as broker:
                assert await token_of(broker) == token
    assert len(service.calls) == 2
    # However often the token in the file is replaced.
    assert [name for name in store._entries if name.startswith(KEY)] == [f"{KEY}:ours"]
