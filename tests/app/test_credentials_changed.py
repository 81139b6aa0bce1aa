"""A reload that has tokens obtained in another way, while only this process has the newest pair."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.app import Credentials, make_credentials
from gateway.config.load import load
from gateway.credentials.chains import name_of
from gateway.credentials.tokens import Token
from tests.credentials.desk import Desk, desk
from tests.credentials.test_broker_store import Downable
from tests.eventually import eventually
from tests.wire import Recorder

NAME = "ringcentral"
ANOTHER_AGENT = 'user_agent.product="another/1"'


class Reloaded:
    """The credentials of a gateway that is reloaded, and the token service."""

    def __init__(self, service: Desk, grant: str) -> None:
        self.service = service
        self.grant = grant
        self.store = Downable()
        self.retired: list[Credentials] = []
        self.now = self._make(None)
        self.now.open()

    def _make(self, before: Credentials | None, *sets: str, first: str = "first") -> Credentials:
        secret = "jwt" if self.grant == "jwt" else "refresh_token"
        table = f"credentials.{NAME}"
        settings = (
            *(f'upstreams.platform.origin="{self.service.origin}"', f"{table}.auth_limit=50"),
            *(f"{table}.grant={self.grant}", f"{table}.client_id=literal:id"),
            *(f"{table}.{secret}=literal:{first}", *sets),
        )
        return make_credentials(load([], settings, {}).config, {}, Recorder(), self.store, before)

    def reload(self, *sets: str, first: str = "first") -> list[str]:
        """Change as a gateway does; return what was made anew."""
        before = self.now
        self.now = self._make(before, *sets, first=first)
        self.now.open(before)
        self.retired.append(before)
        return self.now.new_since(before)

    async def retire(self) -> None:
        """Close what was before, as after the last request that may use it."""
        for before in self.retired:
            await before.retire(self.now)
        self.retired.clear()

    async def token(self) -> Token:
        deadline = asyncio.get_running_loop().time() + 10.0
        return await self.now.by_name[NAME].current(deadline)

    async def renewed(self) -> bytes:
        """Have the token refused; return the next one."""
        refused = await self.token()
        assert self.now.by_name[NAME].refuse(refused)
        return (await self.token()).value.reveal()

    def presented(self) -> list[str]:
        forms = [call.form for call in self.service.calls]
        return [form.get("refresh_token") or form["assertion"] for form in forms]


@asynccontextmanager
async def reloaded(grant: str) -> AsyncIterator[Reloaded]:
    """Run credentials that have a pair which the store has, too, and take the store away."""
    async with desk() as service:
        here = Reloaded(service, grant)
        await here.token()
        here.store.is_down = True
        yield here
        await here.retire()
        await here.now.close()


BOTH = pytest.mark.parametrize("grant", ["refresh_token", "jwt"])


@BOTH
async def test_a_pair_that_no_store_has_is_carried_on_by_what_comes_after(grant: str) -> None:
    async with reloaded(grant) as here:
        assert await here.renewed() == b"access-2"
        assert here.reload(ANOTHER_AGENT) == [NAME]
        assert (await here.token()).value.reveal() == b"access-2"
        await here.retire()
        assert await here.renewed() == b"access-3"
        here.store.is_down = False
        record = name_of(f"token:{NAME}:{here.now.identities[NAME]}", (await here.token()).seed)
        await eventually(lambda: b"refresh-3" in here.store._entries[record].value)
        assert here.presented() == ["first", "refresh-1", "refresh-2"]
    assert b"User-Agent: another/1" in here.service.calls[-1].head


@BOTH
async def test_a_pair_that_the_store_has_is_known_without_it(grant: str) -> None:
    async with reloaded(grant) as here:
        here.reload(ANOTHER_AGENT)
        assert (await here.token()).value.reveal() == b"access-1"
        assert await here.renewed() == b"access-2"
    assert here.presented() == ["first", "refresh-1"]


@BOTH
async def test_what_is_being_obtained_at_that_moment_is_not_lost(grant: str) -> None:
    async with reloaded(grant) as here:
        before, first = here.now.by_name[NAME], await here.token()
        here.service.open.clear()
        assert before.refuse(first)
        await here.service.came(2)
        here.reload(ANOTHER_AGENT)
        retiring = asyncio.create_task(here.retire())
        asking = asyncio.create_task(here.token())
        here.service.open.set()
        assert (await asking).value.reveal() == b"access-2"
        await retiring
        assert await here.renewed() == b"access-3"
    assert here.presented() == ["first", "refresh-1", "refresh-2"]


@BOTH
async def test_no_refresh_token_is_spent_twice_while_old_requests_go_on(grant: str) -> None:
    async with reloaded(grant) as here:
        old = here.now.by_name[NAME]
        here.reload(ANOTHER_AGENT)
        here.reload("timeouts.connect_s=3")
        refused = await here.token()
        deadline = asyncio.get_running_loop().time() + 10.0
        assert all(one.refuse(refused) for one in (old, here.now.by_name[NAME]))
        tokens = [await one.current(deadline) for one in (old, here.now.by_name[NAME])]
        assert {token.value.reveal() for token in tokens} == {b"access-2"}
    assert here.presented() == ["first", "refresh-1"]


async def test_a_chain_of_another_secret_is_not_carried_on_and_not_lost() -> None:
    async with reloaded("refresh_token") as here:
        old, first = here.now.by_name[NAME], await here.token()
        assert await here.renewed() == b"access-2"
        here.reload(first="another")
        assert here.now.by_name[NAME] is not old
        here.store.is_down = False
        token = await here.token()
        assert (token.value.reveal(), token.seed != first.seed) == (b"access-3", True)
        await here.retire()
        record = name_of(f"token:{NAME}:{here.now.identities[NAME]}", first.seed)
        assert b"refresh-2" in here.store._entries[record].value
    assert here.presented() == ["first", "refresh-1", "another"]


async def test_a_reload_that_comes_to_nothing_changes_nothing() -> None:
    async with reloaded("refresh_token") as here:
        made = here._make(here.now, ANOTHER_AGENT)
        assert made.new_since(here.now) == [NAME]
        assert await here.renewed() == b"access-2"
    assert not any(b"another/1" in call.head for call in here.service.calls)
